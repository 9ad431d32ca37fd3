import { limits } from '../../../shared/common/index.js';
import type { ViewerEvent } from '../../../shared/common/wire/index.js';

/** What a shell or program said of itself, for viewers. */
export type ShellEvent =
  | { readonly type: 'title'; readonly title: string }
  | Extract<ViewerEvent, { type: 'cwd' | 'command-start' | 'command-end' }>;

/** With the log position after which it holds. */
export interface ShellEventAt {
  readonly offset: number;
  readonly event: ShellEvent;
}

/**
 * Events of a terminal in the order of its log, numbered from 0; the last {@link limits.EVENTS_KEPT}. Each
 * viewer is told them when it has the bytes before, so it has a place here as it has one in the log.
 */
export class EventLog {
  readonly #kept: ShellEventAt[] = [];
  #next = 0;

  /** Number of the next event. */
  get next(): number {
    return this.#next;
  }

  get oldest(): number {
    return this.#next - this.#kept.length;
  }

  push(event: ShellEventAt): void {
    this.#kept.push(event);
    this.#next += 1;
    if (this.#kept.length > limits.EVENTS_KEPT) this.#kept.shift();
  }

  /** Event `number`. Absent: it is not kept any more, or has not happened yet. */
  at(number: number): ShellEventAt | undefined {
    return this.#kept[number - this.oldest];
  }

  /** Number of the first event that is kept and holds only after log position `offset`. */
  after(offset: number): number {
    const index = this.#kept.findIndex((event) => event.offset > offset);
    return index === -1 ? this.#next : this.oldest + index;
  }
}
