import { type Clock, type Timer } from '../../../shared/common/index.js';
import type { TerminalSize } from '../../../shared/common/wire/index.js';
import type { OutputLog } from '../output-log.js';
import { counts } from '../pace.js';
import type { Viewer } from '../viewer.js';
import { AgentAnswers } from './agent-answers.js';
import { AnswerTurns, type Answerer } from './answer-turns.js';

export interface AnsweringOptions {
  readonly clock: Clock;
  readonly log: OutputLog;
  readonly viewers: Iterable<Viewer>;
  /** Whether what `viewer` types, answers too, goes to the program. */
  takesInputOf(viewer: Viewer): boolean;
  size(): TerminalSize;
  /** What an emulator answers to `query` whose screen is that at log position `offset`. Absent: nothing. */
  ask(offset: number, query: string): string | undefined;
  type(bytes: Uint8Array, done: () => void): void;
}

/**
 * How long the first output waits for the viewer that started the terminal, or that lost its worker, before
 * the agent answers what was asked in it.
 */
const FIRST_VIEWER_MS = 1_000;
/** Whether the one who answers still acknowledges is looked at this often. */
const RECHECK_MS = 250;

/**
 * Names the one viewer of a terminal that answers queries: of those that may type and acknowledged lately
 * the one that typed last. With viewers that only watch nobody answers, with no viewer at all the agent.
 */
export class Answering {
  readonly #options: AnsweringOptions;
  readonly #turns: AnswerTurns;
  readonly #agent: AgentAnswers;
  /** In the order in which they typed last. */
  readonly #typists = new Set<Viewer>();
  /** Nobody has had the turn yet. */
  #unclaimed: { readonly from: number; readonly timer: Timer } | undefined;
  #recheckAt = 0;

  constructor(options: AnsweringOptions) {
    const { clock, log } = options;
    this.#options = options;
    this.#turns = new AnswerTurns(log.head);
    this.#agent = new AgentAnswers(options);
    this.#unclaimed = {
      from: log.head,
      timer: clock.after(FIRST_VIEWER_MS, () => {
        this.changed();
      }),
    };
  }

  /** Whether `viewer` answers the log byte at `offset`, and up to where that is so. */
  at(offset: number, viewer: Viewer): { readonly answers: boolean; readonly until: number } {
    return this.#turns.at(offset, viewer);
  }

  /** `bytes` were appended to the log. */
  appended(bytes: Uint8Array): void {
    const before = this.#turns.now;
    const changed = this.#turns.appended(bytes) ?? bytes.length;
    const from = this.#options.log.head - bytes.length;
    if (before === 'agent') this.#feed(bytes.subarray(0, changed), from);
    if (changed < bytes.length && this.#turns.now === 'agent') {
      this.#agent.reset();
      this.#feed(bytes.subarray(changed), from + changed);
    }
    this.#turns.forget(this.#options.log.oldest);
    this.#recheck();
  }

  /** `viewer` typed; whoever sits at the keyboard has the terminal that the program should ask. */
  typed(viewer: Viewer): void {
    const { current } = this.#turns;
    this.#typists.delete(viewer);
    this.#typists.add(viewer);
    if (current !== viewer) this.changed();
  }

  left(viewer: Viewer): void {
    this.#typists.delete(viewer);
    this.#turns.left(viewer);
    this.changed();
  }

  /** A viewer has come, or time has passed: names who answers from here on. */
  changed(): void {
    const who = this.#choose();
    if (this.#unclaimed !== undefined) this.#claim(who);
    else this.#give(who);
  }

  close(): void {
    this.#unclaimed?.timer.cancel();
    this.#typists.clear();
  }

  #choose(): Answerer {
    const { clock, log, viewers } = this.#options;
    const now = clock.now();
    let isWatched = false;
    let best: { readonly viewer: Viewer; readonly rank: number } | undefined;
    const typed = [...this.#typists];
    for (const viewer of viewers) {
      if (!viewer.ready) continue;
      isWatched = true;
      if (!this.#options.takesInputOf(viewer)) continue;
      // Whoever typed last, then whoever has it: a turn that moves without need loses answers on the way.
      const rank =
        (counts(viewer, log.head, now) ? 1_000_000 : 0) +
        (typed.indexOf(viewer) + 1) * 2 +
        (viewer === this.#turns.current ? 1 : 0);
      if (best === undefined || rank > best.rank) best = { viewer, rank };
    }
    if (best !== undefined) return best.viewer;
    return isWatched ? undefined : 'agent';
  }

  #claim(who: Answerer): void {
    const { from, timer } = this.#unclaimed as { from: number; timer: Timer };
    timer.cancel();
    this.#unclaimed = undefined;
    if (typeof who === 'object' && who.created) {
      this.#turns.giveAll(who);
      return;
    }
    if (who !== undefined) {
      this.#turns.giveAll('agent');
      this.#catchUp(from);
    }
    this.#give(who);
  }

  /** The agent answers what came before anybody was named. */
  #catchUp(from: number): void {
    const { log } = this.#options;
    const start = Math.max(from, log.oldest);
    const bytes = new Uint8Array(log.head - start);
    log.copy(start, log.head, bytes, 0);
    this.#feed(bytes, start);
  }

  #give(who: Answerer): void {
    const changed = this.#turns.give(who);
    if (changed !== undefined && who === 'agent') this.#agent.reset();
  }

  #feed(bytes: Uint8Array, from: number): void {
    const { size, ask } = this.#options;
    this.#agent.feed(bytes, (index) => ({
      size: size(),
      ask: (query) => ask(from + index + 1, query),
    }));
  }

  #recheck(): void {
    const { current } = this.#turns;
    const { clock, log } = this.#options;
    const now = clock.now();
    if (typeof current !== 'object' || now < this.#recheckAt) return;
    this.#recheckAt = now + RECHECK_MS;
    if (!counts(current, log.head, now) || !this.#options.takesInputOf(current)) this.changed();
  }
}
