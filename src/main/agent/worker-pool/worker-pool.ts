import type { Transferable } from 'node:worker_threads';
import { Piscina } from 'piscina';
import {
  HoldfastError,
  limits,
  once,
  type Clock,
  type Closable,
  type Logger,
} from '../../../shared/common/index.js';
import type { WorkerSetup } from '../../../shared/node/ports/index.js';
import { DeathCount } from './death-count.js';
import { StallWatch } from './stall-watch.js';

export interface WorkerPoolOptions {
  /** For logs: `terminal`, `peer`. */
  readonly name: string;
  /** The built entry file of the worker. */
  readonly entry: URL;
  /** Threads, all started at once and kept. At least 1. */
  readonly size: number;
  /** Tasks that one thread may serve at the same time. */
  readonly tasksPerWorker: number;
  /** How often each thread must show that it lives, in ms; two misses and it is replaced. */
  readonly beatMs: number;
  /** Opens the test door of the workers. */
  readonly faults: boolean;
  readonly maxHeapMb: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Where tasks that live long run. {@link WorkerPool} is what agents use; the interface is there so that a
 * benchmark can run the very same tasks elsewhere and show what the threads buy.
 */
export interface TaskPool extends Closable {
  start(): void;
  /** Nothing new should be started now. */
  readonly degraded: boolean;
  /** @throws {HoldfastError} ERR_DEGRADED while `degraded`. */
  requireHealthy(): void;
  /**
   * Runs one task, to which `transfer` goes over; resolves when it has ended.
   * @throws {HoldfastError} ERR_CLOSED; ERR_WORKER_LOST when its thread died.
   */
  run(task: unknown, transfer: readonly Transferable[]): Promise<void>;
}

/**
 * Room for new objects, of which a third is in use. V8's 48 MB let each thread pile up that much of what is
 * dropped at once (frames, lines of screens) before it looks.
 */
const YOUNG_MB = 12;

/**
 * Makes piscina load its entry with `import()`. With `require`, which it tries first, a thread that is ended
 * while it links its modules aborts the whole process ("v8::Module::IsGraphAsync must be used on an
 * instantiated module", Node 20.20): `InstantiateSync` takes a termination for success.
 */
const NO_REQUIRE_OF_MODULES = '--no-experimental-require-module';
const EXEC_ARGV = process.allowedNodeEnvironmentFlags.has(NO_REQUIRE_OF_MODULES)
  ? [NO_REQUIRE_OF_MODULES]
  : [];

/** A thread takes 0.2 s to load; on a machine that is very busy some seconds. */
const LOAD_MS = 5_000;
const LOAD_POLL_MS = 5;

/** More thread ids than ever live at once, so that two live ones never share a slot. */
const BEAT_SLOTS = 1_024;

/**
 * A pool of `size` threads whose tasks live as long as what they serve. It supervises one for one: a thread
 * that dies is replaced and its tasks reject with ERR_WORKER_LOST; one that stalls is killed first. When
 * threads die too often the pool refuses new tasks for a while rather than burn the machine.
 *
 * How piscina has to be used for that, all found by trying: `atomics` disabled, or idle threads freeze in
 * `Atomics.wait`; no abort signals, since aborting one task kills the thread of many; a new piscina after a
 * thread failed to start, since that one never starts another.
 */
export class WorkerPool implements TaskPool {
  readonly #options: WorkerPoolOptions;
  readonly #beats = new SharedArrayBuffer(BEAT_SLOTS * 4);
  readonly #deaths: DeathCount;
  readonly #watch: StallWatch<Piscina['threads'][number]>;
  #piscina: Piscina | undefined;
  /** Pools that cannot replace their threads any more, until their last task has ended. */
  readonly #retired = new Set<Piscina>();
  #closing = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#deaths = new DeathCount(options.clock, limits.WORKER_DEATHS, limits.WORKER_DEATHS_MS);
    this.#watch = new StallWatch({
      clock: options.clock,
      beatMs: options.beatMs,
      beats: new Int32Array(this.#beats),
      threads: () => this.#threads(),
      onStall: (thread) => {
        options.logger.warn('worker stalled', { pool: options.name, thread: thread.threadId });
        void thread.terminate();
      },
    });
  }

  /** Starts the threads. */
  start(): void {
    this.#piscina ??= this.#build();
    this.#watch.start();
  }

  /** Threads died so often lately that nothing new is started. */
  get degraded(): boolean {
    return this.#deaths.tooMany;
  }

  /** Live threads. */
  get threads(): number {
    return this.#threads().length;
  }

  /** @throws {HoldfastError} ERR_DEGRADED where something new should not be started now. */
  requireHealthy(): void {
    if (!this.degraded) return;
    throw new HoldfastError('ERR_DEGRADED', `${this.#options.name} workers keep dying`);
  }

  /**
   * Runs one task on the least busy thread, also while degraded: what lives already goes on.
   * @throws {HoldfastError} ERR_CLOSED; ERR_WORKER_LOST when its thread died.
   */
  async run(task: unknown, transfer: readonly Transferable[]): Promise<void> {
    if (this.#closing) throw new HoldfastError('ERR_CLOSED', 'the agent is closing');
    const piscina = this.#usable();
    try {
      await piscina.run(task, { transferList: [...transfer] });
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      throw new HoldfastError('ERR_WORKER_LOST', `the ${this.#options.name} worker ended`, {
        cause: error,
      });
    }
  }

  /** Ends all threads. Whoever owns the tasks has ended them before. */
  readonly close = once(async () => {
    this.#closing = true;
    this.#watch.close();
    await this.#loaded();
    const pools = [...this.#retired, ...(this.#piscina === undefined ? [] : [this.#piscina])];
    await Promise.all(pools.map((pool) => pool.destroy()));
  });

  /**
   * Resolves when no thread is still loading its code, or it took too long: a thread that is ended while it
   * reads its files leaves their descriptors open (Node 20 and 24).
   */
  async #loaded(): Promise<void> {
    const beats = new Int32Array(this.#beats);
    const { clock } = this.#options;
    const deadline = clock.now() + LOAD_MS;
    const isLoading = ({ threadId }: { readonly threadId: number }): boolean =>
      Atomics.load(beats, threadId % BEAT_SLOTS) === 0;
    while (this.#threads().some(isLoading) && clock.now() < deadline) {
      await new Promise<void>((resolve) => void clock.after(LOAD_POLL_MS, resolve));
    }
  }

  #threads(): Piscina['threads'] {
    return [this.#piscina, ...this.#retired].flatMap((pool) => pool?.threads ?? []);
  }

  #usable(): Piscina {
    const current = this.#piscina;
    // After a thread that failed to start, piscina replaces none any more.
    if (current !== undefined && current.threads.length >= this.#options.size) return current;
    if (current !== undefined) this.#retire(current);
    this.#piscina = this.#build();
    return this.#piscina;
  }

  #retire(piscina: Piscina): void {
    if (piscina.threads.length === 0) {
      void piscina.destroy();
      return;
    }
    this.#retired.add(piscina);
  }

  #build(): Piscina {
    const options = this.#options;
    const setup: WorkerSetup = {
      beats: this.#beats,
      beatMs: options.beatMs,
      faults: options.faults,
    };
    const piscina = new Piscina({
      filename: options.entry.href,
      minThreads: options.size,
      maxThreads: options.size,
      concurrentTasksPerWorker: options.tasksPerWorker,
      idleTimeout: Number.POSITIVE_INFINITY,
      maxQueue: 0,
      atomics: 'disabled',
      recordTiming: false,
      workerData: setup,
      execArgv: EXEC_ARGV,
      resourceLimits: {
        maxOldGenerationSizeMb: options.maxHeapMb,
        maxYoungGenerationSizeMb: YOUNG_MB,
      },
    });
    piscina.on('workerDestroy', () => {
      if (this.#closing) return;
      this.#deaths.add();
      options.logger.error('worker died', {
        pool: options.name,
        deaths: this.#deaths.recent,
        degraded: this.degraded,
      });
    });
    // Deaths without a task; without a listener they would end the process.
    piscina.on('error', (error: unknown) => {
      options.logger.error('worker error', { pool: options.name, error });
    });
    return piscina;
  }
}
