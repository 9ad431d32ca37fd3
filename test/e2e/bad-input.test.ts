import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { connectPeer } from '../../src/main/client/connection/index.js';
import { HoldfastError, limits } from '../../src/shared/common/index.js';
import {
  encodeClientFrame,
  SIGNALLING_VERSION,
  type ClientSignal,
} from '../../src/shared/common/wire/index.js';
import { checkLeaks } from '../support/index.js';
import { brokerApi, connect, HANDSHAKE_MS, ssh, startAgentProgram, useUp } from '../support/e2e.js';

checkLeaks({ patienceMs: HANDSHAKE_MS });

const up = useUp();
/** Somebody's key; nobody here has its private half. */
const STRANGER = 'A'.repeat(43);

/** What the broker answers on the signalling socket to these messages, until it closes. */
async function signal(...messages: (ClientSignal | string)[]): Promise<string> {
  const socket = new WebSocket(`${up().ready.brokerUrl.replace(/^http/, 'ws')}/api/v1/connect`);
  return await new Promise((resolve, reject) => {
    let answer = '';
    socket.on('open', () => {
      for (const message of messages) {
        socket.send(typeof message === 'string' ? message : JSON.stringify(message));
      }
    });
    socket.on('message', (data: Buffer) => {
      answer += data.toString();
    });
    socket.on('close', (code) => {
      resolve(`${answer} ${String(code)}`);
    });
    socket.on('error', reject);
  });
}

const open = (ticket: string): ClientSignal => ({
  type: 'open',
  version: SIGNALLING_VERSION,
  ticket,
});

test('bad input - tickets that are garbage, altered, for another workspace or used before let nobody in', async (t) => {
  const api = brokerApi(up());
  const { ticket } = await api.getTicket('local', { publicKey: STRANGER });
  const [header, claims, signature] = ticket.split('.') as [string, string, string];
  const none = Buffer.from('{"alg":"none","typ":"holdfast-ticket+jwt"}').toString('base64url');
  const altered = Buffer.from(
    Buffer.from(claims, 'base64url').toString().replace('"aud":"', '"aud":"x'),
  ).toString('base64url');
  for (const bad of ['', 'garbage', `${header}.${altered}.${signature}`, `${none}.${claims}.`]) {
    assert.match(await signal(open(bad)), /ERR_(TICKET|PROTOCOL)/, bad.slice(0, 30));
  }
  // A good ticket of one workspace, played to the agent of another by whoever signs both.
  const other = await startAgentProgram(t, up(), { workspace: 'other' });
  await assert.rejects(
    connectPeer({
      url: `${up().ready.brokerUrl.replace(/^http/, 'ws')}/api/v1/connect`,
      path: 'relay',
      getTicket: async (publicKey) => ({
        ...(await api.getTicket(other.workspace, { publicKey })),
        workspaceId: 'another',
      }),
    }),
    // The reason must not lose a race against the end of the connection, as it once did.
    (error) => error instanceof HoldfastError && error.code === 'ERR_PEER_AUTH',
  );
  assert.doesNotMatch(other.program.stderr(), /\n {4}at /, 'no stack trace in the log');
});

test('bad input - signalling that is no JSON, too large, out of order or of another version is closed with a code', async () => {
  const { ticket } = await brokerApi(up()).getTicket('local', { publicKey: STRANGER });
  assert.match(await signal('not json'), /ERR_PROTOCOL/);
  assert.match(await signal('{"type":"offer","sdp":"x"}'), /ERR_/);
  assert.match(await signal({ type: 'open', version: 99, ticket }), /ERR_PROTOCOL_VERSION/);
  assert.match(
    await signal('x'.repeat(limits.SIGNAL_MESSAGE_BYTES + 1)),
    /(ERR_MESSAGE_TOO_LARGE|1009)/,
  );
  assert.equal((await up().holdfast(['ping', 'local', '--count', '1'])).status, 0, 'alive');
});

test('bad input - hostile channels and frames over WebRTC end themselves and nothing else', async () => {
  const agent = await connect(up());
  const endOf = (
    label: string,
    protocol: string,
    ...frames: Uint8Array<ArrayBuffer>[]
  ): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      const channel = agent.openChannel({ label, protocol });
      channel.start({
        message: (bytes) => {
          channel.consumed(bytes.byteLength);
          text += Buffer.from(bytes).toString('latin1');
        },
        credit: () => undefined,
        end: (end) => {
          resolve(`${text} ${end.type === 'closed' ? (end.error?.code ?? '') : 'lost'}`);
        },
      });
      for (const frame of frames) channel.send(frame);
    });
  for (const label of [
    'x:0:80',
    'x:-1:80',
    'x:1000000000:80',
    'x:a:b',
    '',
    'x',
    '../etc:24:80',
    ':24:80',
  ]) {
    assert.match(await endOf(label, 'terminal'), /ERR_CHANNEL_LABEL/, label);
  }
  await endOf('name:24:80', 'reconnecting-pty');
  assert.match(await endOf('x:24:80', 'telnet'), /ERR_UNKNOWN_PROTOCOL/);
  assert.match(await endOf('x:24:80', 'terminal', Uint8Array.from([0x99, 1, 2])), /ERR_FRAME/);
  assert.match(
    await endOf(
      'x:24:80',
      'terminal',
      encodeClientFrame({ type: 'input', seq: 0, bytes: new Uint8Array(9) }),
    ),
    /ERR_FRAME/,
  );
  await endOf(
    '3f2b8c1e-0000-4000-8000-000000000001:24:80',
    'reconnecting-pty',
    Uint8Array.from(Buffer.from('[1,2')),
  );
  await agent.ping();
  await agent.close();
});

test('bad input - an unknown workspace, an offline agent and a broker that is down are one line and a code', async () => {
  const lines = async (...args: string[]): Promise<string> => {
    const { status, stderr } = await up().holdfast(args);
    assert.notEqual(status, 0);
    assert.ok(stderr.trim().split('\n').length <= 2, stderr);
    return stderr;
  };
  assert.match(await lines('ping', 'nowhere'), /ERR_WORKSPACE_NOT_FOUND/);
  await brokerApi(up()).addWorkspace({ name: 'asleep' });
  assert.match(await lines('ping', 'asleep'), /ERR_AGENT_OFFLINE/);
  assert.match(
    await lines('ping', 'local', '--broker', 'http://127.0.0.1:1'),
    /ERR_BROKER_UNREACHABLE/,
  );
  assert.match(await lines('kill', 'local', 'no-such'), /ERR_TERMINAL_NOT_FOUND/);
});

test('bad input - a missing shell or directory is told to SSH and terminals alike, and the agent goes on', async (t) => {
  const noShell = await startAgentProgram(t, up(), {
    workspace: 'no-shell',
    args: ['--shell', '/nonexistent/shell'],
  });
  const noFolder = await startAgentProgram(t, up(), {
    workspace: 'no-folder',
    settings: { directory: '/nonexistent/folder' },
  });
  for (const [{ workspace }, code] of [
    [noShell, 'ERR_SHELL_NOT_FOUND'],
    [noFolder, 'ERR_DIRECTORY_NOT_FOUND'],
  ] as const) {
    for (const tty of [[], ['-tt']]) {
      const result = await ssh(up(), [...tty, `${workspace}.holdfast`, 'true']);
      assert.notEqual(result.status, 0);
      assert.match(result.stdout.toString() + result.stderr, new RegExp(code));
    }
    const agent = await connect(up(), { workspace });
    const text = await new Promise<string>((resolve) => {
      let seen = '';
      const channel = agent.openChannel({ label: 'x:24:80', protocol: 'terminal' });
      channel.start({
        message: (bytes) => {
          seen += Buffer.from(bytes).toString('latin1');
        },
        credit: () => undefined,
        end: () => {
          resolve(seen);
        },
      });
    });
    assert.match(text, new RegExp(code));
    await agent.ping();
    await agent.close();
  }
});
