/** A flood over a slow link that a key ends, and how long the person waits to see it. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectLocal } from '../../src/main/client/connection/index.js';
import { deferred, type TerminalId } from '../../src/shared/common/index.js';
import { createTerminalClient } from '../../src/shared/common/terminal-client/index.js';
import { startLocalAgent } from './local-agent.js';
import type { SeededRandom } from './random.js';
import { tempDir } from './temp-dir.js';
import { throttledSocket } from './throttled-socket.js';

const ID = 'flood' as TerminalId;
/** A line of it; shorter than the screen is wide. */
const FLOOD = 'flood'.repeat(12);
/** Until anything that must come has come. */
const PATIENCE_MS = 30_000;
const PROMPT = 'prompt-after-all> ';

export interface InterruptRun {
  /** From the key to the prompt. */
  readonly ms: number;
  /** From the key to the end of the flood: on a busy machine it takes a while to get there. */
  readonly keyMs: number;
  /** Bytes of output that came in between. */
  readonly bytes: number;
  /** Bytes that were stated as skipped. */
  readonly skipped: number;
  /** What came before the key, in bytes. */
  readonly before: number;
}

export interface InterruptOptions {
  /** Absent: as fast as it goes. */
  readonly bytesPerSecond?: number | undefined;
  readonly floodMs: number;
  readonly random: SeededRandom;
}

/** A shell on a terminal, wherever it is. */
export interface FloodedShell {
  type(text: string): void;
  /** Calls back with whatever comes, until the end. */
  onOutput(handler: (bytes: Uint8Array) => void): void;
}

/**
 * Floods a shell for a while, types Ctrl-C, and waits for the prompt.
 * @param patienceMs Until anything that must come has come. @throws {Error} it did not.
 */
export async function interruptShell(
  shell: FloodedShell,
  { floodMs, patienceMs = PATIENCE_MS }: { readonly floodMs: number; readonly patienceMs?: number },
): Promise<Omit<InterruptRun, 'skipped'>> {
  let received = 0;
  let tail = '';
  let seen: { readonly pattern: RegExp; readonly done: () => void } | undefined;
  shell.onOutput((bytes) => {
    received += bytes.length;
    tail = (tail + Buffer.from(bytes).toString('latin1')).slice(-4_096);
    if (seen?.pattern.test(tail) === true) seen.done();
  });
  const sees = async (pattern: RegExp): Promise<void> => {
    const { promise, resolve, reject } = deferred<undefined>();
    seen = {
      pattern,
      done: () => {
        resolve(undefined);
      },
    };
    if (pattern.test(tail)) return;
    const timer = setTimeout(() => {
      reject(new Error(`not seen: ${String(pattern)} in ${JSON.stringify(tail.slice(-200))}`));
    }, patienceMs);
    await promise.finally(() => {
      clearTimeout(timer);
    });
  };
  shell.type(`PS1='prompt-''after-all> '\n`);
  await sees(/prompt-after-all> $/);
  const ended = join(tempDir(), 'ended');
  // Notes when the key has come, to the millisecond.
  const note = `date +%s%3N >${ended}; exit 0`;
  shell.type(`sh -c "trap '${note}' INT; while :; do echo ${FLOOD}; done"\n`);
  await sees(new RegExp(`${FLOOD}\r\n${FLOOD}\r\n`));
  await sleep(floodMs);
  const before = received;
  const start = performance.now();
  const pressed = Date.now();
  tail = '';
  shell.type('\x03');
  await sees(new RegExp(PROMPT));
  return {
    ms: performance.now() - start,
    keyMs: Math.max(0, Number(readFileSync(ended, 'utf8')) - pressed),
    bytes: received - before,
    before,
  };
}

/** The same in a terminal of an agent of its own. */
export async function interruptRun({
  bytesPerSecond,
  floodMs,
  random,
}: InterruptOptions): Promise<InterruptRun> {
  const { agent, socket } = await startLocalAgent();
  const link =
    bytesPerSecond === undefined
      ? undefined
      : await throttledSocket(socket, { bytesPerSecond, random });
  const connection = await connectLocal({ path: link?.path ?? socket });
  let skipped = 0;
  let skippedBefore = 0;
  let onOutput: (bytes: Uint8Array) => void = () => undefined;
  const client = createTerminalClient({
    openChannel: (label) => connection.openChannel({ label, protocol: 'terminal' }),
    id: ID,
    size: { rows: 24, cols: 80 },
    wantsType: true,
    clientId: randomBytes(16),
    handlers: {
      output: (bytes) => {
        onOutput(bytes);
        client.processed(bytes.length);
      },
      snapshot: (bytes) => {
        onOutput(bytes);
        client.processed(bytes.length);
      },
      gap: (from, to) => {
        skipped += to - from;
      },
      state: () => undefined,
    },
  });
  try {
    client.start();
    const run = await interruptShell(
      {
        type: (text) => {
          if (text === '\x03') skippedBefore = skipped;
          client.input(Buffer.from(text));
        },
        onOutput: (handler) => {
          onOutput = handler;
        },
      },
      { floodMs },
    );
    return { ...run, skipped: skipped - skippedBefore };
  } finally {
    await client.close();
    await connection.close();
    await link?.close();
    await agent.close();
  }
}
