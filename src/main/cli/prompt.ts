import { HoldfastError } from '../../shared/common/index.js';
import { enterRawMode } from './raw-terminal.js';

const INPUT_BYTES = 64 * 1_024;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const BACKSPACES = new Set(['\u007f', '\b']);

/** Everything on `stream`. @throws {HoldfastError} ERR_INVALID_ARGUMENT beyond 64 KiB. */
export async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as string | Uint8Array);
    length += bytes.length;
    if (length > INPUT_BYTES) {
      throw new HoldfastError('ERR_INVALID_ARGUMENT', 'standard input is too long for a token');
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Asks for one line on the terminal without showing it.
 * @throws {HoldfastError} ERR_CLOSED on Ctrl-C or end of input.
 */
export function readHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  const mode = enterRawMode(stdin);
  return new Promise((resolve, reject) => {
    let line = '';
    const finish = (settle: () => void): void => {
      stdin.off('data', onData);
      stdin.off('end', onEnd);
      stdin.pause();
      mode.restore();
      stderr.write('\n');
      settle();
    };
    const giveUp = (): void => {
      finish(() => {
        reject(new HoldfastError('ERR_CLOSED', 'no token was given'));
      });
    };
    const onEnd = giveUp;
    const onData = (chunk: Buffer): void => {
      for (const char of chunk.toString('utf8')) {
        if (char === '\r' || char === '\n') {
          finish(() => {
            resolve(line);
          });
          return;
        }
        if (char === CTRL_C || char === CTRL_D) {
          giveUp();
          return;
        }
        if (BACKSPACES.has(char)) line = line.slice(0, -1);
        else line += char;
      }
    };
    stdin.on('data', onData);
    stdin.on('end', onEnd);
    stdin.resume();
  });
}
