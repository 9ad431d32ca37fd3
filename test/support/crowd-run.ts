/** Many viewers of many terminals over connections that are cut again and again. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LinkKeeper } from '../../src/main/cli/link-keeper.js';
import { connectLocal } from '../../src/main/client/connection/index.js';
import type { TerminalId } from '../../src/shared/common/index.js';
import {
  createTerminalClient,
  type TerminalClient,
} from '../../src/shared/common/terminal-client/index.js';
import { cutSocket } from './cut-socket.js';
import { keepConnected } from './e2e.js';
import { startLocalAgent } from './local-agent.js';
import type { SeededRandom } from './random.js';
import { waitFor } from './wait-for.js';

export interface CrowdOptions {
  readonly terminals: number;
  /** Each connection has one viewer of each terminal. */
  readonly connections: number;
  readonly seconds: number;
  /** Every so often a tenth of the connections, at least one, is cut. */
  readonly cutEveryMs: number;
  readonly random: SeededRandom;
}

export interface CrowdRun {
  readonly viewers: number;
  readonly drops: number;
  readonly lines: number;
  /** Lines that are missing, and that came twice. */
  readonly missing: number;
  readonly duplicates: number;
  /** Gaps that the agent stated. */
  readonly statedGaps: number;
  /** From each cut until the viewer has what the others had when it was back, in ms. */
  readonly catchUpMs: readonly number[];
}

/** Numbered lines, 50 at a time, until the terminal ends. */
const LINES =
  'i=0; while :; do j=0; while [ $j -lt 50 ]; do i=$((i+1)); j=$((j+1)); echo "line $i"; done; sleep 0.25; done';

/** One viewer that holds the lines against their numbers. */
class Reader {
  readonly client: TerminalClient;
  next = 0;
  lines = 0;
  missing = 0;
  duplicates = 0;
  gaps = 0;
  drops = 0;
  catchUpMs: number[] = [];
  #last: number | undefined;
  #rest = '';
  #lostAt: number | undefined;
  #target: number | undefined;

  constructor(links: LinkKeeper, id: TerminalId, head: () => number) {
    this.client = createTerminalClient({
      openChannel: async (label) =>
        (await links.get()).openChannel({ label, protocol: 'terminal' }),
      id,
      size: { rows: 24, cols: 80 },
      wantsType: true,
      clientId: randomBytes(16),
      handlers: {
        output: (bytes, { offset }) => {
          this.next = offset + bytes.length;
          this.#read(Buffer.from(bytes).toString('latin1'));
          this.client.processed(bytes.length);
          this.#caughtUp();
        },
        snapshot: (bytes) => {
          this.client.processed(bytes.length);
        },
        gap: (_from, to) => {
          this.gaps += 1;
          this.next = to;
        },
        state: ({ type }) => {
          if (type === 'reconnecting' && this.#lostAt === undefined) {
            this.#lostAt = performance.now();
            this.drops += 1;
          } else if (type === 'attached' && this.#lostAt !== undefined) {
            this.#target = head();
            this.#caughtUp();
          }
        },
      },
    });
    this.client.start();
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\r\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      // Not what was typed, which is on a line with the prompt.
      const number = /^line ([0-9]+)$/.exec(line)?.[1];
      if (number === undefined) continue;
      const step = Number(number) - (this.#last ?? Number(number) - 1);
      if (step > 1) this.missing += step - 1;
      if (step < 1) this.duplicates += 1;
      this.#last = Number(number);
      this.lines += 1;
    }
  }

  #caughtUp(): void {
    if (this.#lostAt === undefined || this.#target === undefined || this.next < this.#target)
      return;
    this.catchUpMs.push(performance.now() - this.#lostAt);
    this.#lostAt = undefined;
    this.#target = undefined;
  }
}

/** Lets the crowd read for a while, then waits until all are back. */
export async function crowdRun(options: CrowdOptions): Promise<CrowdRun> {
  const { terminals, connections, seconds, cutEveryMs, random } = options;
  const { agent, socket } = await startLocalAgent();
  const relay = await cutSocket(socket);
  const links = Array.from({ length: connections }, () =>
    keepConnected(() => connectLocal({ path: relay.path })),
  );
  const ids = Array.from(
    { length: terminals },
    (_, index) => `crowd-${String(index)}` as TerminalId,
  );
  const byTerminal = ids.map((): Reader[] => []);
  try {
    for (const link of links) {
      for (const [index, id] of ids.entries()) {
        const readers = byTerminal[index] as Reader[];
        const head = (): number => Math.max(...readers.map(({ next }) => next));
        const reader = new Reader(link, id, head);
        if (readers.length === 0) reader.client.input(Buffer.from(`exec sh -c '${LINES}'\n`));
        readers.push(reader);
      }
      // Not all at once: a thousand attaches are a start that no crowd makes.
      await waitFor(() => byTerminal.every((readers) => (readers.at(-1)?.lines ?? 0) > 0), {
        timeoutMs: 60_000,
        what: 'lines at every viewer',
      });
    }
    const end = performance.now() + seconds * 1_000;
    while (performance.now() < end) {
      await sleep(cutEveryMs);
      relay.cut(Math.max(1, Math.round(connections / 10)), random);
    }
    const all = byTerminal.flat();
    await waitFor(() => all.every(({ drops, catchUpMs }) => catchUpMs.length >= drops), {
      timeoutMs: 60_000,
      what: 'everybody to be back',
    });
    const sum = (of: (reader: Reader) => number): number =>
      all.reduce((total, reader) => total + of(reader), 0);
    return {
      viewers: all.length,
      drops: sum(({ drops }) => drops),
      lines: sum(({ lines }) => lines),
      missing: sum(({ missing }) => missing),
      duplicates: sum(({ duplicates }) => duplicates),
      statedGaps: sum(({ gaps }) => gaps),
      catchUpMs: all.flatMap(({ catchUpMs }) => catchUpMs).sort((a, b) => a - b),
    };
  } finally {
    await Promise.all(byTerminal.flat().map(({ client }) => client.close()));
    await Promise.all(links.map((link) => link.close()));
    await relay.close();
    await agent.close();
  }
}
