/** Program: an SSH connection that stands, on which commands are run. */
import type { Client } from 'ssh2';
import { serveProgram } from '../harness/index.js';
import { openSshClient, type SshClient, type SshServerSpec } from './ssh-clients.js';

let ssh: SshClient | undefined;

const methods = {
  open: async (spec: SshServerSpec) => {
    ssh = await openSshClient(spec);
  },

  /** Runs `true` once per interval, whether the last one has ended or not; times to the end of each in ms. */
  every: async ({
    count,
    intervalMs,
  }: {
    readonly count: number;
    readonly intervalMs: number;
  }): Promise<readonly number[]> => {
    const start = performance.now();
    const runs = Array.from({ length: count }, async (_, index) => {
      const due = start + (index + 1) * intervalMs;
      await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
      return await run(requireClient());
    });
    return await Promise.all(runs);
  },

  /** Runs `true` so often, so many at a time; answers with the time for all of them in ms. */
  many: async ({ count, atOnce }: { readonly count: number; readonly atOnce: number }) => {
    const start = performance.now();
    let left = count;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await run(requireClient());
      }
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
    return performance.now() - start;
  },

  close: async (_: object) => {
    await ssh?.close();
    ssh = undefined;
  },
};

export type ExecMethods = typeof methods;

serveProgram(methods, async () => {
  await methods.close({});
});

function requireClient(): Client {
  if (ssh === undefined) throw new Error('not connected');
  return ssh.client;
}

/** @returns how long it took, in ms. */
async function run(client: Client): Promise<number> {
  const start = performance.now();
  await new Promise<void>((resolve, reject) => {
    client.exec('true', (error, channel) => {
      if (error !== undefined) {
        reject(error);
        return;
      }
      let status: number | null = null;
      channel.on('exit', (code: number | null) => {
        status = code;
      });
      channel.on('close', () => {
        if (status === 0) resolve();
        else reject(new Error(`the command ended with ${String(status)}`));
      });
      channel.on('error', reject);
      channel.resume();
      channel.stderr.resume();
    });
  });
  return performance.now() - start;
}
