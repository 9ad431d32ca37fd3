import type { Client } from 'ssh2';
import { openSshClient, type SshServerSpec } from '../ssh-clients.js';
import type { Session, SessionHandlers } from './types.js';

/** A login shell with a PTY on an SSH connection of its own, by the SSH library. */
export async function openSshShell(
  spec: SshServerSpec,
  handlers: SessionHandlers,
): Promise<Session> {
  const { client, close } = await openSshClient(spec);
  const shell = await openShell(client, handlers);
  return { write: shell.write, close };
}

/** A login shell with a PTY on an SSH connection that stands. */
export async function openShell(
  client: Client,
  handlers: SessionHandlers,
): Promise<Pick<Session, 'write'>> {
  return await new Promise((resolve, reject) => {
    client.shell({ term: 'xterm-256color', rows: 24, cols: 80 }, (error, channel) => {
      if (error !== undefined) {
        reject(error);
        return;
      }
      channel.on('data', (chunk: Buffer) => {
        handlers.data(chunk);
      });
      channel.on('close', () => {
        handlers.end('the SSH session ended');
      });
      channel.on('error', () => undefined);
      resolve({
        write: (text) => {
          channel.write(text);
        },
      });
    });
  });
}
