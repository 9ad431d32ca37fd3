import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import {
  deferred,
  HoldfastError,
  sleep,
  toErrorRecord,
  type Closable,
} from '../../shared/common/index.js';
import { Churning } from './churn/index.js';
import {
  LoadFigures,
  ProcessWatch,
  readProcess,
  SelfWatch,
  type SelfSummary,
} from './figures/index.js';
import type { LoadPlan } from './options/index.js';
import { Peer, Slots } from './peers/index.js';
import { seededRandom, type Random } from './random.js';
import { startSsh } from './ssh/index.js';
import type { Target } from './target.js';
import { Fleet, TerminalTypist } from './terminals/index.js';

export type Phase = 'connecting' | 'starting' | 'running' | 'ending' | 'done';

/** Connections that are made at a time. */
const CONNECTS_AT_ONCE = 4;
const AWAY_MS = 20_000;
const AWAY_POLL_MS = 500;
/** For the agent to close what the connections and terminals had, before it is looked at again. */
const SETTLE_MS = 5_000;
const SETTLE_POLL_MS = 100;

export interface LoadOptions {
  readonly plan: LoadPlan;
  readonly target: Target;
  /** Process of the agent, to watch it. Absent: it is not on this machine, or nobody knows. */
  readonly agentPid: number | undefined;
  /** For an agent that wants SSH keys. */
  readonly agentSocket: string | undefined;
  /** Told of each further phase, once it has begun. */
  readonly onPhase?: (phase: Phase) => void;
  /** An agent that nobody reaches for so long has gone. For tests; default {@link AWAY_MS}. */
  readonly awayMs?: number;
}

/** What the load did while it stood. */
export interface Standing {
  readonly seconds: number;
  /** Output that all viewers got together. */
  readonly receivedBytes: number;
  readonly self: SelfSummary;
}

/** One load on one agent, from the first connection to the last. Used once. */
export class Load {
  readonly figures = new LoadFigures();
  readonly run = randomBytes(3).toString('hex');
  readonly #options: LoadOptions;
  readonly #random: Random;
  readonly #peers: readonly Peer[];
  readonly #fleet: Fleet;
  readonly #watch: ProcessWatch | undefined;
  readonly #self = new SelfWatch();
  /** Ends the load in order. */
  readonly #stop = new AbortController();
  /** Ends all waits, and with them all order. */
  readonly #abort = new AbortController();
  readonly #failed = deferred<never>();
  #phase: Phase = 'connecting';
  #engine: string | undefined;
  #startedAt = 0;
  #receivedAtStart = 0;
  #standing: Standing | undefined;

  /** @throws {HoldfastError} ERR_INVALID_ARGUMENT if the process of the agent cannot be looked at. */
  constructor(options: LoadOptions) {
    const { plan, target, agentPid } = options;
    this.#options = options;
    this.#random = seededRandom(plan.seed);
    this.#failed.promise.catch(() => undefined);
    // Every wait of every part listens to them.
    setMaxListeners(0, this.#stop.signal, this.#abort.signal);
    this.#watch = agentPid === undefined ? undefined : ProcessWatch.open(agentPid);
    const { figures } = this;
    this.#peers = Array.from(
      { length: plan.connections },
      () => new Peer({ open: target.open, figures, signal: this.#abort.signal }),
    );
    this.#fleet = new Fleet({ plan, peers: this.#peers, figures, run: this.run });
  }

  get phase(): Phase {
    return this.#phase;
  }

  get plan(): LoadPlan {
    return this.#options.plan;
  }

  /** How the agent was reached. Absent: it was not, so far. */
  get engine(): string | undefined {
    return this.#engine;
  }

  /** Since the load stands, in ms; 0 before. */
  get elapsedMs(): number {
    return this.#startedAt === 0 ? 0 : performance.now() - this.#startedAt;
  }

  get terminals(): number {
    return this.#fleet.count;
  }

  get viewers(): { readonly all: number; readonly attached: number } {
    return this.#fleet.viewers;
  }

  get agent(): ProcessWatch | undefined {
    return this.#watch;
  }

  /** What it did while it stood. Absent: it never did. */
  get standing(): Standing | undefined {
    return this.#standing;
  }

  /** Ends it in order: {@link perform} resolves when all is taken back. */
  stop(): void {
    this.#stop.abort();
  }

  /** Ends it at once; the agent ends what is left within a minute. */
  abort(): void {
    this.#stop.abort();
    this.#abort.abort();
  }

  /**
   * Puts the load on and takes it back, however it goes.
   * @throws {HoldfastError} why it could not be put on, or could not go on; ERR_CLOSED if it was stopped before it
   *   stood.
   */
  async perform(): Promise<void> {
    const { plan } = this.#options;
    const parts: Closable[] = [];
    const use = <C extends Closable>(part: C): C => {
      parts.push(part);
      return part;
    };
    try {
      await this.#connect();
      this.#enter('starting');
      await this.#fleet.start(this.#stop.signal);
      const typists = await this.#startTypists(use);
      await startSsh({ ...this.#sshOptions(), use });
      const churning = use(this.#churning());

      this.#begin();
      this.#enter('running');
      for (const typist of typists) typist.type();
      churning.start();
      await this.#untilOver(plan.durationMs);
    } finally {
      this.#stop.abort();
      this.#end();
      this.#enter('ending');
      await this.#takeBack(parts);
      this.#enter('done');
    }
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#options.onPhase?.(phase);
  }

  /** The first by itself: it says why none can be made. */
  async #connect(): Promise<void> {
    const [first, ...others] = this.#peers;
    this.#engine = (await this.#orStopped(first?.link()))?.engine;
    const slots = new Slots(CONNECTS_AT_ONCE);
    await this.#orStopped(Promise.all(others.map((peer) => slots.run(() => peer.link()))));
  }

  async #startTypists(use: <C extends Closable>(part: C) => C): Promise<TerminalTypist[]> {
    const { plan } = this.#options;
    const typists = Array.from({ length: plan.echo }, () =>
      use(
        new TerminalTypist({
          fleet: this.#fleet,
          figures: this.figures,
          keyEveryMs: plan.keyEveryMs,
          phase: this.#random(),
          signal: this.#abort.signal,
        }),
      ),
    );
    await Promise.all(typists.map((typist) => typist.start(this.#stop.signal)));
    return typists;
  }

  #sshOptions(): Omit<Parameters<typeof startSsh>[0], 'use'> {
    const { plan, target, agentSocket } = this.#options;
    return {
      plan,
      peers: this.#peers,
      figures: this.figures,
      random: this.#random,
      run: this.run,
      isLocal: target.isLocal,
      agentSocket,
      signal: this.#abort.signal,
      stop: this.#stop.signal,
    };
  }

  #churning(): Churning {
    return new Churning({
      plan: this.#options.plan,
      fleet: this.#fleet,
      peers: this.#peers,
      figures: this.figures,
      random: this.#random,
      signal: this.#stop.signal,
      onFailed: (error) => {
        this.#failed.reject(error);
      },
    });
  }

  #begin(): void {
    this.#startedAt = performance.now();
    this.#receivedAtStart = this.figures.counts.receivedBytes;
    this.#watch?.start();
    this.#self.start();
  }

  #end(): void {
    if (this.#startedAt === 0) return;
    this.#self.stop();
    this.#watch?.stop();
    this.#standing = {
      seconds: this.elapsedMs / 1_000,
      receivedBytes: this.figures.counts.receivedBytes - this.#receivedAtStart,
      self: this.#self.summary(),
    };
  }

  /** Until the time is over or it is stopped. @throws {HoldfastError} what makes going on pointless. */
  async #untilOver(durationMs: number): Promise<void> {
    const { signal } = this.#stop;
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    const ends = [stopped, this.#failed.promise, this.#whileReached(signal)];
    if (durationMs > 0) ends.push(sleep(durationMs, signal).catch(() => undefined));
    await Promise.race(ends);
  }

  /** @throws {HoldfastError} ERR_AGENT_OFFLINE when nobody has reached the agent for a while. */
  async #whileReached(signal: AbortSignal): Promise<void> {
    const { awayMs = AWAY_MS } = this.#options;
    let reachedAt = performance.now();
    while (!signal.aborted) {
      await sleep(AWAY_POLL_MS, signal).catch(() => undefined);
      if (this.#peers.some((peer) => peer.connected)) reachedAt = performance.now();
      else if (performance.now() - reachedAt > awayMs) {
        const seconds = String(awayMs / 1_000);
        throw new HoldfastError('ERR_AGENT_OFFLINE', `the agent has been away for ${seconds} s`, {
          hint: 'Look at its log; it may have been stopped, or have died.',
        });
      }
    }
  }

  /** Never rejects. */
  async #takeBack(parts: readonly Closable[]): Promise<void> {
    await Promise.all(parts.map((part) => this.#orAborted(part.close())));
    if (!this.#abort.signal.aborted) await this.#orAborted(this.#fleet.close());
    if (this.#abort.signal.aborted) await this.#fleet.abandon();
    await Promise.all(this.#peers.map((peer) => peer.close()));
    await this.#settle();
  }

  /** Until the agent has let go of what it had for the load, or for long enough. */
  async #settle(): Promise<void> {
    const watch = this.#watch;
    if (watch === undefined) return;
    const before = watch.summary().before.fds;
    const deadline = performance.now() + SETTLE_MS;
    const { signal } = this.#abort;
    while (!signal.aborted && performance.now() < deadline) {
      const facts = readProcess(watch.pid);
      if (facts === undefined || facts.fds <= before) break;
      await sleep(SETTLE_POLL_MS, signal).catch(() => undefined);
    }
    watch.finish();
  }

  async #orAborted(work: Promise<unknown>): Promise<void> {
    const { signal } = this.#abort;
    work.catch((error: unknown) => {
      const { code, message } = toErrorRecord(error);
      if (code !== 'ERR_CLOSED') this.figures.error(code, message);
    });
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    await Promise.race([work.catch(() => undefined), aborted]);
  }

  /** `work`, or ERR_CLOSED as soon as the load is stopped. */
  async #orStopped<T>(work: Promise<T> | undefined): Promise<T | undefined> {
    const { signal } = this.#stop;
    const stopped = new Promise<never>((_resolve, reject) => {
      const onStop = (): void => {
        reject(new HoldfastError('ERR_CLOSED', 'stopped before the load stood'));
      };
      if (signal.aborted) onStop();
      signal.addEventListener('abort', onStop);
    });
    return await Promise.race([work, stopped]);
  }
}
