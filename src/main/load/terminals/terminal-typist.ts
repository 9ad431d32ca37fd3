import { deferred, HoldfastError, sleep, type Closable } from '../../../shared/common/index.js';
import type { LoadFigures } from '../figures/index.js';
import { KeyEcho, ReadyGate } from '../keys/index.js';
import type { Fleet } from './fleet.js';
import type { Viewer } from './viewer.js';

const READY_MS = 15_000;

export interface TerminalTypistOptions {
  readonly fleet: Fleet;
  readonly figures: LoadFigures;
  readonly keyEveryMs: number;
  /** From 0 to 1: see {@link KeyEcho}. */
  readonly phase: number;
  /** Ends all waits. */
  readonly signal: AbortSignal;
}

/**
 * Somebody who types into a terminal of his own, in which others may watch. What he types must arrive once,
 * also over connections that break. The terminal belongs to the fleet, which ends it.
 */
export class TerminalTypist implements Closable {
  readonly #options: TerminalTypistOptions;
  readonly #keys: KeyEcho;
  readonly #ready = deferred<undefined>();
  #viewer: Viewer | undefined;

  constructor(options: TerminalTypistOptions) {
    const { figures, keyEveryMs, phase } = options;
    this.#options = options;
    this.#keys = new KeyEcho({
      everyMs: keyEveryMs,
      phase,
      type: (bytes) => {
        const taken = this.#viewer?.type(bytes) === true;
        if (taken) figures.counts.keys += 1;
        return taken;
      },
      onEcho: (ms) => {
        figures.latencies.echo.record(ms);
      },
      onFault: (kind, count) => {
        figures.fault(kind, count, `a terminal that is typed into: ${kind} ${String(count)}`);
      },
    });
  }

  /** Resolves when the terminal echoes; typing begins with {@link type}. @throws as `Fleet.add`. */
  async start(signal: AbortSignal): Promise<void> {
    const gate = new ReadyGate(
      () => {
        this.#ready.resolve(undefined);
      },
      (bytes) => {
        this.#keys.data(bytes);
      },
    );
    const onOutput = (bytes: Uint8Array): void => {
      gate.data(bytes);
    };
    const terminal = await this.#options.fleet.add({ output: { kind: 'echo' }, onOutput }, signal);
    [this.#viewer] = terminal.viewers;
    const waiting = new AbortController();
    const late = sleep(READY_MS, AbortSignal.any([signal, waiting.signal])).then(() => {
      throw new HoldfastError('ERR_PEER_TIMEOUT', `${terminal.id} was not ready in time`);
    });
    late.catch(() => undefined);
    try {
      await Promise.race([this.#ready.promise, late]);
    } finally {
      waiting.abort();
    }
  }

  type(): void {
    this.#keys.start();
  }

  async close(): Promise<void> {
    await this.#keys.finish(this.#options.signal);
  }
}
