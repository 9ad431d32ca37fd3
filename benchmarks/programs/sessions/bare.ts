import { ReadStream } from 'node:tty';
import { writeSync, closeSync } from 'node:fs';
import { forkPty } from '../../../src/shared/node/pty/index.js';
import { duplicateFd } from '../../../src/shared/node/system/index.js';
import type { Session, SessionHandlers } from './types.js';

const READ_BYTES = 64 * 1024;

/** Forks a shell on a PTY of this process and counts what comes out of it, nothing else. */
export function openBare(handlers: SessionHandlers): Session {
  let exited = (): void => undefined;
  const exit = new Promise<void>((resolve) => {
    exited = resolve;
  });
  const { masterFd, pid } = forkPty(
    {
      file: '/bin/sh',
      args: [],
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color' },
      cwd: '/',
      size: { rows: 24, cols: 80 },
    },
    () => {
      exited();
      handlers.end('the shell ended');
    },
  );
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
      process.kill(-pid, 'SIGKILL');
      await exit;
      stream.destroy();
      closeSync(masterFd);
    },
  };
}
