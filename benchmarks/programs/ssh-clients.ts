import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { Client } from 'ssh2';
import { connectLocal } from '../../src/main/client/connection/index.js';
import { connectSsh } from '../../src/main/client/index.js';

/** A server as the SSH library reaches it. */
export type SshServerSpec =
  | {
      readonly kind: 'agent-ssh';
      readonly socket: string;
      readonly hostKey: string;
      /** Absent: the agent asks for none. */
      readonly keyFile?: string;
    }
  | {
      readonly kind: 'ssh-library';
      readonly port: number;
      readonly keyFile: string;
      readonly user: string;
    };

/** An SSH connection that is logged in. */
export interface SshClient {
  readonly client: Client;
  close(): Promise<void>;
}

export async function openSshClient(spec: SshServerSpec): Promise<SshClient> {
  return spec.kind === 'agent-ssh' ? await overLocalSocket(spec) : await overTcp(spec);
}

async function overLocalSocket({
  socket,
  hostKey,
  keyFile,
}: Extract<SshServerSpec, { kind: 'agent-ssh' }>): Promise<SshClient> {
  const connection = await connectLocal({ path: socket });
  const channel = connection.openChannel({ label: 'ssh', protocol: 'ssh' });
  const ssh = await connectSsh(channel, {
    hostKey,
    username: 'holdfast',
    ...(keyFile === undefined ? {} : { identityFiles: [keyFile] }),
  });
  return {
    client: ssh.client,
    close: async () => {
      await ssh.close();
      await connection.close();
    },
  };
}

/** @param stream instead of a TCP connection of its own, such as one over a slow link. */
export async function overTcp(
  { port, keyFile, user }: Extract<SshServerSpec, { kind: 'ssh-library' }>,
  stream?: Duplex,
): Promise<SshClient> {
  const client = new Client();
  const ready = new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    client.on('error', reject);
  });
  client.connect({
    ...(stream === undefined ? { host: '127.0.0.1', port } : { sock: stream }),
    username: user,
    privateKey: readFileSync(keyFile),
  });
  await ready;
  return {
    client,
    close: async () => {
      const closed = new Promise<void>((resolve) => client.once('close', resolve));
      client.end();
      await closed;
    },
  };
}
