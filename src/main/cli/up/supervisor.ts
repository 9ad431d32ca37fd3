import {
  Backoff,
  HoldfastError,
  limits,
  sleep,
  systemClock,
  type Clock,
} from '../../../shared/common/index.js';
import type { Child, ChildEnd } from './child.js';

/** Deaths that are borne in {@link limits.WORKER_DEATHS_MS} before giving up. */
const { WORKER_DEATHS, WORKER_DEATHS_MS } = limits;

/** From the first request to end until the last child is killed; the whole stays below 5 s. */
const AGENT_PATIENCE_MS = 4_500;
const BROKER_PATIENCE_MS = 400;

/** One kind of child: how to start one, and what it is called. */
export interface Role {
  readonly name: 'broker' | 'agent';
  readonly start: () => Child;
}

/**
 * Keeps one child of each role alive: starts another, after a pause, when one ends that was not asked
 * to. Starts nothing by itself.
 */
export class Supervisor {
  readonly #running = new Map<Role['name'], Child>();
  readonly #stopping = new AbortController();
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /**
   * Runs `role` until {@link stop}; then resolves.
   * @throws {HoldfastError} what a child says that it cannot start with, if it never ran; ERR_DEGRADED
   *   when children of the role keep dying.
   */
  async keep(role: Role): Promise<void> {
    const backoff = new Backoff({ minMs: limits.DIAL_MIN_MS, maxMs: limits.DIAL_MAX_MS });
    const deaths: number[] = [];
    while (!this.#isStopping()) {
      const child = role.start();
      this.#running.set(role.name, child);
      const end = await child.ended;
      this.#running.delete(role.name);
      if (this.#isStopping()) return;
      this.#judge(role, end, deaths);
      await sleep(backoff.next(), this.#stopping.signal, this.#clock).catch(() => undefined);
    }
  }

  /** Ends the agent, then the broker: peers hear of the end through it. Resolves when both have. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running.get('agent')?.stop(AGENT_PATIENCE_MS);
    await this.#running.get('broker')?.stop(BROKER_PATIENCE_MS);
  }

  /** Ends everything at once. */
  kill(): void {
    this.#stopping.abort();
    for (const child of this.#running.values()) child.kill();
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #judge({ name }: Role, end: ChildEnd, deaths: number[]): void {
    // A child that says why it cannot run would say the same again.
    if (end.error !== undefined) throw end.error;
    const now = this.#clock.now();
    deaths.push(now);
    const recent = deaths.filter((at) => now - at < WORKER_DEATHS_MS);
    if (recent.length > WORKER_DEATHS) {
      const times = `${String(recent.length)} times within a minute`;
      throw new HoldfastError('ERR_DEGRADED', `the ${name} ended ${times}, last with ${end.how}`, {
        hint: 'Start again with --log-level debug to see why.',
      });
    }
    process.stderr.write(`holdfast: the ${name} ended (${end.how}); starting another\n`);
  }
}
