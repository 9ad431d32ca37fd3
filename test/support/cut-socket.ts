import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { SeededRandom } from './random.js';
import { tempDir } from './temp-dir.js';

export interface CutSocket {
  /** Where clients connect. */
  readonly path: string;
  /** Cuts so many of the connections, without a word to either end. */
  cut(count: number, random: SeededRandom): void;
  close(): Promise<void>;
}

/** Connections to the unix socket at `target` that can be cut like a network's. */
export async function cutSocket(target: string): Promise<CutSocket> {
  const path = join(tempDir(), 's');
  const pairs = new Map<Socket, Socket>();
  const server = createServer((client) => {
    const upstream = connect(target);
    pairs.set(client, upstream);
    const end = (): void => {
      pairs.delete(client);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined);
      socket.on('close', end);
    }
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    cut: (count, random) => {
      for (let left = count; left > 0 && pairs.size > 0; left -= 1) {
        random.pick([...pairs.keys()]).destroy();
      }
    },
    close: async () => {
      for (const client of pairs.keys()) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
