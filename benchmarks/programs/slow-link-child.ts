/** Program: a flood over a slow link that Ctrl-C ends, as `npm run proof:ctrl-c` has it, also over SSH. */
import { connect } from 'node:net';
import { interruptRun, interruptShell } from '../../test/support/interrupt-run.js';
import { createRandom } from '../../test/support/index.js';
import { throttledSocket } from '../../test/support/throttled-socket.js';
import { serveProgram } from '../harness/index.js';
import { overTcp, type SshServerSpec } from './ssh-clients.js';

export interface SlowLinkParams {
  readonly bytesPerSecond: number;
  readonly floodMs: number;
  readonly seed: number;
}
export interface SlowLinkResult {
  /** From the key to the prompt. */
  readonly ms: number;
  /** Bytes of output that came in between. */
  readonly bytes: number;
}

/** Queues of a kernel are megabytes, which take a while. */
const PATIENCE_MS = 90_000;

const methods = {
  terminal: async ({ bytesPerSecond, floodMs, seed }: SlowLinkParams): Promise<SlowLinkResult> =>
    await interruptRun({ bytesPerSecond, floodMs, random: createRandom(seed) }),

  ssh: async ({
    bytesPerSecond,
    floodMs,
    seed,
    server,
  }: SlowLinkParams & {
    readonly server: Extract<SshServerSpec, { kind: 'ssh-library' }>;
  }): Promise<SlowLinkResult> => {
    const link = await throttledSocket(server.port, { bytesPerSecond, random: createRandom(seed) });
    const ssh = await overTcp(server, connect(link.path));
    try {
      const pty = { rows: 24, cols: 80, term: 'xterm-256color' };
      const channel = await new Promise<import('ssh2').ClientChannel>((resolve, reject) => {
        const opened = (error: Error | undefined, made: import('ssh2').ClientChannel): void => {
          if (error === undefined) resolve(made);
          else reject(error);
        };
        ssh.client.shell(pty, opened);
      });
      return await interruptShell(
        {
          type: (text) => channel.write(text),
          onOutput: (handler) => channel.on('data', handler),
        },
        { floodMs, patienceMs: PATIENCE_MS },
      );
    } finally {
      // Not `close`, which would wait for what is still under way.
      ssh.client.destroy();
      await link.close();
    }
  },
};

export type SlowLinkMethods = typeof methods;

serveProgram(methods, async () => undefined);
