import { closeSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { startPty } from '../../../src/shared/node/pty/index.js';
import { duplicateFd } from '../../../src/shared/node/system/index.js';
import type { Session, SessionHandlers } from './types.js';

const READ_BYTES = 64 * 1024;

/**
 * Runs a program on a PTY of this process and reads it with a bare `onread` loop, nothing else: a shell, or a client
 * such as `tmux attach` that needs a terminal of its own.
 */
export async function openPtyProgram(
  [file = '/bin/sh', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  handlers: SessionHandlers,
): Promise<Session> {
  const { masterFd, pid, exited } = await startPty({
    file,
    args,
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', ...env },
    cwd: '/',
    size: { rows: 24, cols: 80 },
  });
  void exited.then(() => {
    handlers.end('the program ended');
  });
  const options = {
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (length: number, buffer: Uint8Array): boolean => {
        handlers.data(buffer.subarray(0, length));
        return true;
      },
    },
  };
  const stream = new ReadStream(duplicateFd(masterFd), options as object);
  stream.on('error', () => undefined);
  stream.resume();
  return {
    write: (text) => {
      writeSync(masterFd, text);
    },
    close: async () => {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
      await exited;
      stream.destroy();
      closeSync(masterFd);
    },
  };
}
