import {
  HoldfastError,
  sleep,
  toErrorRecord,
  type Closable,
} from '../../../shared/common/index.js';
import type { LoadFigures } from '../figures/index.js';
import { isPrinting, type Output } from '../lines/index.js';
import { connectionOf, type LoadPlan } from '../options/index.js';
import { Slots, type Peer } from '../peers/index.js';
import { idleTime, LoadTerminal, terminalName, type EndKind } from './load-terminal.js';

/** Terminals that are created at a time. */
const STARTS_AT_ONCE = 8;
/** Terminals that are ended at a time: well below what an agent keeps of those that have exited. */
const ENDS_AT_ONCE = 24;
/** Until the first line of the first terminal. */
const FIRST_OUTPUT_MS = 15_000;
const POLL_MS = 20;

export interface FleetOptions {
  readonly plan: LoadPlan;
  readonly peers: readonly Peer[];
  readonly figures: LoadFigures;
  /** Part of the names of all terminals of this run. */
  readonly run: string;
}

/** What a terminal is for, beside its viewers. */
interface Role {
  readonly output: Output;
  readonly onOutput?: ((bytes: Uint8Array) => void) | undefined;
}

/** All terminals of a load: started, replaced and ended, with nothing left behind. */
export class Fleet implements Closable {
  readonly #options: FleetOptions;
  readonly #terminals = new Set<LoadTerminal>();
  readonly #starts = new Slots(STARTS_AT_ONCE);
  #last = 0;
  #closing: Promise<void> | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Those that print or wait, without those that are typed into. */
  get running(): LoadTerminal[] {
    return [...this.#terminals].filter((terminal) => terminal.isRunning && !terminal.isTypedInto);
  }

  get count(): number {
    return this.#terminals.size;
  }

  /** Viewers who are to stay, and how many of them are attached at the moment. */
  get viewers(): { readonly all: number; readonly attached: number } {
    let all = 0;
    let attached = 0;
    for (const terminal of this.#terminals) {
      for (const viewer of terminal.viewers) {
        all += 1;
        if (viewer.isAttached) attached += 1;
      }
    }
    return { all, attached };
  }

  /**
   * Starts the terminals of the plan; the first of each kind by itself, to see whether it works here at all.
   * @throws {HoldfastError} what the first one that failed was refused with; ERR_CLOSED on abort.
   */
  async start(signal: AbortSignal): Promise<void> {
    for (const { count, output } of this.#options.plan.groups) {
      const first = await this.#startOne({ output }, signal);
      await untilPrinted(first, signal);
      const others = Array.from({ length: count - 1 }, () => this.#startOne({ output }, signal));
      await allOrFirstFailure(others);
    }
  }

  /** One more terminal. @throws as {@link start}. */
  async add(role: Role, signal: AbortSignal): Promise<LoadTerminal> {
    return await this.#startOne(role, signal);
  }

  /**
   * Ends `terminal` and starts another one in its place.
   * @throws as {@link start}.
   */
  async replace(terminal: LoadTerminal, kind: EndKind, signal: AbortSignal): Promise<void> {
    await terminal.end(kind);
    this.#terminals.delete(terminal);
    await this.#startOne({ output: terminal.output }, signal);
  }

  /** Ends everything and looks whether anything is left. Never rejects. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Gives up what is here; the agent ends the terminals when they have been idle for long enough. */
  async abandon(): Promise<void> {
    await Promise.all([...this.#terminals].map((terminal) => terminal.abandon()));
  }

  async #close(): Promise<void> {
    const ends = new Slots(ENDS_AT_ONCE);
    await Promise.all(
      [...this.#terminals].map((terminal, index) =>
        // Half of those that can finish by themselves do, so that both ways of ending are seen.
        ends.run(async () => {
          await terminal.end(index % 2 === 0 ? 'finish' : 'kill');
          this.#terminals.delete(terminal);
        }),
      ),
    );
    await this.#sweep().catch((error: unknown) => {
      const { code, message } = toErrorRecord(error);
      this.#options.figures.error(code, `cleaning up: ${message}`);
    });
  }

  /** Ends what was left behind in spite of all, such as what was created while the answer got lost. */
  async #sweep(): Promise<void> {
    const [peer] = this.#options.peers;
    if (peer === undefined || this.#last === 0) return;
    const prefix = terminalName(this.#options.run, 0).replace(/\d+$/, '');
    const ours = (await peer.request((link) => link.terminals())).filter(({ id }) =>
      id.startsWith(prefix),
    );
    for (const { id, state } of ours) {
      await peer.request((link) => link.kill(id)).catch(() => undefined);
      // One that was running is only forgotten by a second word.
      if (state !== 'exited') await peer.request((link) => link.kill(id)).catch(() => undefined);
    }
  }

  #startOne(role: Role, signal: AbortSignal): Promise<LoadTerminal> {
    return this.#starts.run(async () => {
      if (signal.aborted || this.#closing !== undefined)
        throw new HoldfastError('ERR_CLOSED', 'the load is being ended');
      const { plan, peers, figures, run } = this.#options;
      this.#last += 1;
      const number = this.#last;
      const peerFor = (viewer: number): Peer => peers[connectionOf(plan, number, viewer)] as Peer;
      const terminal = new LoadTerminal({
        ...role,
        id: terminalName(run, number),
        owner: peerFor(0),
        peers: Array.from({ length: plan.viewers }, (_, viewer) => peerFor(viewer)),
        figures,
        pace: plan.pace,
        idleMs: idleTime(plan.viewers, plan.durationMs),
      });
      this.#terminals.add(terminal);
      await abortable(terminal.start(), signal);
      return terminal;
    });
  }
}

/** @throws {HoldfastError} ERR_SPAWN, ERR_PEER_TIMEOUT if nothing comes. */
async function untilPrinted(terminal: LoadTerminal, signal: AbortSignal): Promise<void> {
  if (!isPrinting(terminal.output) || terminal.viewers.size === 0) return;
  const deadline = performance.now() + FIRST_OUTPUT_MS;
  while (!terminal.hasPrinted) {
    terminal.requireAlive();
    if (performance.now() > deadline) {
      throw new HoldfastError(
        'ERR_PEER_TIMEOUT',
        `${terminal.id} has printed nothing for ${String(FIRST_OUTPUT_MS / 1_000)} s`,
      );
    }
    await sleep(POLL_MS, signal);
  }
}

/** Waits for all, but fails as soon as one does. */
async function allOrFirstFailure(started: readonly Promise<unknown>[]): Promise<void> {
  for (const each of started) each.catch(() => undefined);
  await Promise.all(started);
}

/** `work`, or ERR_CLOSED when `signal` aborts before it is done. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(new HoldfastError('ERR_CLOSED', 'the load is being ended'));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}
