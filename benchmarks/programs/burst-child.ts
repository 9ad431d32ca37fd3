/** Program: makes many terminals of an agent as fast as it can, and tells when all of them have ended. */
import { randomUUID } from 'node:crypto';
import type { TerminalId } from '../../src/shared/common/index.js';
import { serveProgram } from '../harness/index.js';
import { CountingConnection, type CountingViewer } from './viewers/index.js';

export interface BurstResult {
  readonly seconds: number;
  /** Of each, in ms: from the request to its viewer being attached. */
  readonly times: readonly number[];
}

/** An agent takes 256 channels and 16 requests of one connection. */
const CHANNELS = 200;
const REQUESTS = 16;
const SIZE = { rows: 24, cols: 80 };

let connections: CountingConnection[] = [];
let viewers: CountingViewer[] = [];

const methods = {
  connect: async ({ socket, count }: { readonly socket: string; readonly count: number }) => {
    const needed = Math.ceil(count / CHANNELS);
    while (connections.length < needed) connections.push(await CountingConnection.open(socket));
  },

  create: async ({
    count,
    command,
  }: {
    readonly count: number;
    readonly command: readonly string[];
  }): Promise<BurstResult> => {
    const times: number[] = [];
    let left = count;
    const start = performance.now();
    const lane = async (connection: CountingConnection): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const id = randomUUID() as TerminalId;
        const begin = performance.now();
        await connection.agent.create(id, { command: [...command], ...SIZE });
        const viewer = connection.watch(id, { wantsType: true });
        viewers.push(viewer);
        await viewer.attached;
        times.push(performance.now() - begin);
      }
    };
    const lanes = connections.flatMap((connection) =>
      Array.from({ length: REQUESTS }, () => lane(connection)),
    );
    await Promise.all(lanes);
    return { seconds: (performance.now() - start) / 1e3, times };
  },

  /** Resolves when every viewer knows that its terminal has ended. */
  ended: async (_: object) => {
    await Promise.all(viewers.map(({ ended }) => ended));
    viewers = [];
  },

  close: async (_: object) => {
    await Promise.all(connections.map((connection) => connection.close()));
    connections = [];
    viewers = [];
  },
};

export type BurstMethods = typeof methods;

serveProgram(methods, async () => {
  await methods.close({});
});
