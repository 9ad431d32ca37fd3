import { spawn } from 'node:child_process';
import type { Session, SessionHandlers } from './types.js';

/** The `ssh` program as a user has it, its output read from a pipe. */
export function openSshProgram(args: readonly string[], handlers: SessionHandlers): Session {
  const child = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    handlers.data(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      handlers.end(error.message);
      resolve();
    });
    child.once('close', (status) => {
      handlers.end(`ssh ended with ${String(status)}: ${errors.trim()}`);
      resolve();
    });
  });
  return {
    write: (text) => {
      child.stdin.write(text);
    },
    close: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
