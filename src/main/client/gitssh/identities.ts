import { connect } from 'node:net';
import { HoldfastError, wrapError } from '../../../shared/common/index.js';

const REQUEST_IDENTITIES = Buffer.from([0, 0, 0, 1, 11]);
const IDENTITIES_ANSWER = 12;
/** OpenSSH's limit of a message. */
const MAX_ANSWER = 256 * 1024;
const TIMEOUT_MS = 10_000;

/**
 * Public keys that the ssh-agent at `path` holds, each as an authorized_keys line without comment
 * (draft-ietf-sshm-ssh-agent section 3.5).
 * @throws {HoldfastError} ERR_GIT_KEY when nobody answers there, or with something else.
 */
export async function listIdentities(path: string): Promise<string[]> {
  const answer = await ask(path);
  let at = 5;
  const uint32 = (): number => {
    if (at + 4 > answer.length) throw malformed();
    const value = answer.readUInt32BE(at);
    at += 4;
    return value;
  };
  const string = (): Buffer => {
    const length = uint32();
    if (at + length > answer.length) throw malformed();
    const value = answer.subarray(at, at + length);
    at += length;
    return value;
  };
  if (answer[4] !== IDENTITIES_ANSWER) throw malformed();
  const lines: string[] = [];
  for (let left = uint32(); left > 0; left -= 1) {
    const blob = string();
    string();
    const typeLength = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
    const type = blob.subarray(4, 4 + typeLength).toString('latin1');
    lines.push(`${type} ${blob.toString('base64')}`);
  }
  return lines;
}

function ask(path: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    let answer = Buffer.alloc(0);
    const fail = (error: unknown): void => {
      socket.destroy();
      reject(wrapError(error, 'ERR_GIT_KEY', 'ask the agent for its key'));
    };
    socket.setTimeout(TIMEOUT_MS, () => {
      fail(new Error('no answer'));
    });
    socket.once('error', fail);
    socket.once('close', () => {
      fail(new Error('closed'));
    });
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length > MAX_ANSWER) fail(malformed());
      if (answer.length < 4 || answer.length < 4 + answer.readUInt32BE(0)) return;
      resolve(answer);
      socket.destroy();
    });
    socket.write(REQUEST_IDENTITIES);
  });
}

function malformed(): HoldfastError {
  return new HoldfastError('ERR_GIT_KEY', 'the agent answered something else');
}
