import { readFileSync } from 'node:fs';
import { Client } from 'ssh2';
import type { Session, SessionHandlers } from './types.js';

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

export interface SshServerSpec {
  readonly port: number;
  readonly keyFile: string;
  readonly user: string;
}

/** A shell of an OpenSSH server over TCP on loopback. */
export async function openSshLibrary(
  { port, keyFile, user }: SshServerSpec,
  handlers: SessionHandlers,
): Promise<Session> {
  const client = new Client();
  const ready = new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    client.on('error', reject);
  });
  client.connect({
    host: '127.0.0.1',
    port,
    username: user,
    privateKey: readFileSync(keyFile),
  });
  await ready;
  const shell = await openShell(client, handlers);
  return {
    write: shell.write,
    close: async () => {
      const closed = new Promise<void>((resolve) => client.once('close', resolve));
      client.end();
      await closed;
    },
  };
}
