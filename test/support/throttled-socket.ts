import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { tempDir } from './temp-dir.js';
import type { SeededRandom } from './random.js';

/** How often bytes are let through, and how far a step's share may be off. */
const STEP_MS = 10;
const JITTER = 0.5;
/** What the link holds by itself; then its sender has to wait. */
const QUEUE_BYTES = 16 * 1024;

export interface ThrottledSocket {
  /** Where clients connect. */
  readonly path: string;
  close(): Promise<void>;
}

export interface ThrottledOptions {
  /** From the server to the client; the other way is not held up. */
  readonly bytesPerSecond: number;
  readonly random: SeededRandom;
}

/**
 * A slow link in front of `target`, the path of a unix socket or a port of loopback: in order, lossless, uneven. Its
 * own end is a unix socket in either case.
 */
export async function throttledSocket(
  target: string | number,
  { bytesPerSecond, random }: ThrottledOptions,
): Promise<ThrottledSocket> {
  const path = join(tempDir(), 's');
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const server = createServer((client) => {
    const upstream = typeof target === 'string' ? connect(target) : connect(target, '127.0.0.1');
    const waiting: Buffer[] = [];
    let queued = 0;
    let ended = false;
    const end = (): void => {
      clearInterval(timer);
      timers.delete(timer);
      client.destroy();
      upstream.destroy();
    };
    let budget = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const share = ((now - last) / 1_000) * bytesPerSecond;
      budget = Math.min(budget, bytesPerSecond / 20) + share * (1 + (random.next() - 0.5) * JITTER);
      last = now;
      while (waiting[0] !== undefined && budget >= 1) {
        const chunk = waiting[0];
        const part = chunk.subarray(0, Math.floor(budget));
        client.write(part);
        budget -= part.length;
        queued -= part.length;
        if (part.length === chunk.length) waiting.shift();
        else waiting[0] = chunk.subarray(part.length);
      }
      if (queued < QUEUE_BYTES) upstream.resume();
      if (ended && waiting.length === 0) end();
    }, STEP_MS);
    timers.add(timer);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (bytes) => upstream.write(bytes));
    client.on('close', end);
    upstream.on('data', (bytes: Buffer) => {
      waiting.push(bytes);
      queued += bytes.length;
      if (queued >= QUEUE_BYTES) upstream.pause();
    });
    upstream.on('close', () => {
      ended = true;
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
