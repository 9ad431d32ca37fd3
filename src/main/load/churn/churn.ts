import { limits, sleep, toErrorRecord, type Closable } from '../../../shared/common/index.js';
import type { LoadFigures } from '../figures/index.js';
import { connectionOf, type Frequency, type LoadPlan } from '../options/index.js';
import { isAbort, type Peer } from '../peers/index.js';
import { between, pick, type Random } from '../random.js';
import type { Fleet, LoadTerminal, Viewer } from '../terminals/index.js';
import { Repeater } from './repeater.js';

/** How long visitors stay, and how long those are away who come back. */
const STAY_MS = [200, 1_000] as const;
const AWAY_MS = [500, 2_000] as const;
const ROWS = [10, 60] as const;
const COLS = [40, 200] as const;

export interface ChurnOptions {
  readonly plan: LoadPlan;
  readonly fleet: Fleet;
  readonly peers: readonly Peer[];
  readonly figures: LoadFigures;
  readonly random: Random;
  /** Ends all waits. */
  readonly signal: AbortSignal;
  /** A terminal could not be replaced: the load is not what it was. */
  readonly onFailed: (error: unknown) => void;
}

/** All that comes and goes while the terminals print. */
export class Churning implements Closable {
  readonly #options: ChurnOptions;
  readonly #repeaters: Repeater[] = [];

  constructor(options: ChurnOptions) {
    this.#options = options;
    const { plan, fleet, peers } = options;
    const { attach, detach, resize, reconnect, create } = plan.churn;
    const terminals = (): number => fleet.running.length;
    const viewers = (): number => terminals() * plan.viewers;
    this.#repeat(attach, terminals, () => this.#visit());
    this.#repeat(detach, viewers, () => this.#detach());
    this.#repeat(resize, viewers, () => this.#resize());
    this.#repeat(
      reconnect,
      () => peers.length,
      () => this.#cut(),
    );
    this.#repeat(create, terminals, () => this.#replace());
  }

  start(): void {
    for (const repeater of this.#repeaters) repeater.start();
  }

  /** Begins nothing new, and resolves when what is under way is done. */
  async close(): Promise<void> {
    await Promise.all(this.#repeaters.map((repeater) => repeater.close()));
  }

  #repeat(
    frequency: Frequency | undefined,
    population: () => number,
    act: () => Promise<void>,
  ): void {
    if (frequency === undefined) return;
    const { figures, random } = this.#options;
    const onSkipped = (): void => {
      figures.counts.skipped += 1;
    };
    this.#repeaters.push(new Repeater({ frequency, population, random, act, onSkipped }));
  }

  /** Somebody new looks in for a while. */
  async #visit(): Promise<void> {
    const { fleet, peers, figures, random } = this.#options;
    const terminal = pick(fleet.running, random);
    const peer = pick(peers, random);
    const visitor = peer && terminal?.visitor(peer);
    if (terminal === undefined || visitor === undefined) return;
    figures.counts.visits += 1;
    try {
      await this.#orLate(visitor.attached);
      await this.#pause(STAY_MS);
    } finally {
      await terminal.removeViewer(visitor);
    }
  }

  /** A viewer leaves, and comes back after a while as one who has seen nothing. */
  async #detach(): Promise<void> {
    const { plan, fleet, peers, figures, random } = this.#options;
    const found = this.#anyViewer();
    if (found === undefined) return;
    figures.counts.detaches += 1;
    await found.terminal.removeViewer(found.viewer);
    await this.#pause(AWAY_MS);
    if (!fleet.running.includes(found.terminal)) return;
    const peer = peers[connectionOf(plan, between(0, 1_000, random), between(0, 1_000, random))];
    const viewer = peer && found.terminal.addViewer(peer);
    await viewer?.attached;
  }

  async #resize(): Promise<void> {
    const { figures, random } = this.#options;
    const found = this.#anyViewer();
    if (found === undefined) return;
    figures.counts.resizes += 1;
    const [rows, cols] = [between(...ROWS, random), between(...COLS, random)];
    found.viewer.resize({ rows, cols });
    return Promise.resolve();
  }

  /** A connection breaks; all who are on it come back by themselves. */
  async #cut(): Promise<void> {
    const { peers, figures, random } = this.#options;
    const connected = peers.filter((peer) => peer.connected);
    if (pick(connected, random)?.cut() === true) figures.counts.cuts += 1;
    return Promise.resolve();
  }

  /** A terminal ends, by itself or because it is made to, and another one is there in its place. */
  async #replace(): Promise<void> {
    const { fleet, random, signal, onFailed } = this.#options;
    const terminal = pick(fleet.running, random);
    if (terminal === undefined) return;
    try {
      await fleet.replace(terminal, random() < 0.5 ? 'finish' : 'kill', signal);
    } catch (error) {
      if (!isAbort(error, signal) && toErrorRecord(error).code !== 'ERR_PEER_LOST') onFailed(error);
    }
  }

  #anyViewer(): { readonly terminal: LoadTerminal; readonly viewer: Viewer } | undefined {
    const { fleet, random } = this.#options;
    const terminal = pick(fleet.running, random);
    const viewer = terminal && pick([...terminal.viewers], random);
    return terminal === undefined || viewer === undefined ? undefined : { terminal, viewer };
  }

  async #pause([min, max]: readonly [number, number]): Promise<void> {
    await sleep(between(min, max, this.#options.random), this.#options.signal);
  }

  /** Whoever cannot attach is not waited for without end. */
  async #orLate(attached: Promise<unknown>): Promise<void> {
    const { signal } = this.#options;
    const waiting = new AbortController();
    const late = sleep(limits.TERMINAL_ATTACH_MS, AbortSignal.any([signal, waiting.signal]));
    try {
      await Promise.race([attached, late]);
    } finally {
      waiting.abort();
      late.catch(() => undefined);
    }
  }
}
