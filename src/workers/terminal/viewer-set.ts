import { limits, type Clock, type Timer } from '../../shared/common/index.js';
import type { Pace } from '../../shared/common/wire/index.js';
import type { OutputLog } from './output-log.js';
import { decidePace, whoHoldsUp } from './pace.js';
import { Patience } from './patience.js';
import type { LogPoint, SizeLog } from './screen/index.js';
import type { EventLog } from './shell/index.js';
import type { AttachPoint, Viewer } from './viewer.js';

/** A paused reader looks again whether the viewer that it waits for still counts. */
const RECHECK_MS = 250;
/** May be read until the next look at the pace. */
const READ_BYTES = limits.PTY_BATCH_BYTES + limits.PTY_READ_SLAB_BYTES;

/** What viewers are told of the screen; see `TerminalScreen`. */
interface ViewedScreen {
  readonly sizes: SizeLog;
  point(from?: number): LogPoint;
  resumePoint(offset: number): LogPoint | undefined;
}

export interface ViewerSetOptions {
  readonly log: OutputLog;
  readonly clock: Clock;
  readonly screen: ViewedScreen;
  readonly events: EventLog;
  /** A viewer is about to attach: what is read until then stays in the log for it. */
  readonly awaitsFirst?: boolean;
  pauseReading(): void;
  resumeReading(): void;
  /** How far behind somebody is may have changed. Called often. */
  moved(): void;
}

/** The viewers of one terminal: hands each its bytes as it takes them, and decides when reading waits. */
export class ViewerSet {
  readonly #options: ViewerSetOptions;
  readonly #viewers = new Set<Viewer>();
  /**
   * The reader stops when whoever sets the pace has this much still to be sent. Half the ring, so that a viewer that
   * is waited for never falls out of it.
   */
  readonly #highWaterBytes: number;
  readonly #patience = new Patience();
  /**
   * Where the log began when the first viewer was awaited, and how long it is. It has sent for the program, whose
   * first 64 KiB take less time than its attach frame.
   */
  #awaited: { readonly from: number; readonly head: number; readonly until: number } | undefined;
  #pace: Pace;
  #recheck: Timer | undefined;

  constructor(pace: Pace, options: ViewerSetOptions) {
    this.#pace = pace;
    this.#options = options;
    const { log, clock } = options;
    this.#highWaterBytes = Math.min(limits.RING_BYTES, log.capacity) / 2;
    if (options.awaitsFirst === true) {
      const until = clock.now() + limits.ATTACH_MS;
      this.#awaited = { from: log.oldest, head: log.head, until };
      log.protect(log.oldest);
    }
  }

  get pace(): Pace {
    return this.#pace;
  }
  set pace(pace: Pace) {
    this.#pace = pace;
    this.#decide();
  }

  get size(): number {
    return this.#viewers.size;
  }

  [Symbol.iterator](): Iterator<Viewer> {
    return this.#viewers[Symbol.iterator]();
  }

  add(viewer: Viewer): void {
    this.#viewers.add(viewer);
  }

  delete(viewer: Viewer): void {
    if (this.#viewers.delete(viewer)) this.#decide();
  }

  /** Where a viewer that has everything before `from` goes on. Absent: at the beginning of the replay. */
  attachPoint(from: number | undefined): AttachPoint {
    const { log, screen, events } = this.#options;
    // What was said before is as old as the replay, but for those who were here then.
    if (from === undefined) return { ...screen.point(), events: events.next };
    if (from >= log.foldedTo) {
      // Beyond the log: it has bytes that a dead worker had sent but not kept; it is ahead by those.
      const point = screen.resumePoint(Math.min(from, log.head));
      if (point !== undefined) return { ...point, events: events.after(point.offset) };
    }
    const point = screen.point();
    return { ...point, gap: { from, to: point.offset }, events: events.next };
  }

  /** Output was appended to the log: offers it to every viewer that can take it. */
  outputAdded(): void {
    for (const viewer of this.#viewers) this.#feed(viewer);
    this.#options.moved();
    this.#decide();
  }

  /**
   * `viewer` typed something that interrupts. What it has not been sent of the output before is dropped for
   * it if it would take long, and told as a gap: it wants to see the prompt, and the log has the bytes.
   */
  interrupted(viewer: Viewer): void {
    const { log } = this.#options;
    const unsent = log.head - viewer.cursor;
    if (!viewer.ready || unsent <= limits.INTERRUPT_KEPT_BYTES) return;
    if ((viewer.backlogMs(unsent) ?? 0) <= limits.INTERRUPT_BEHIND_MS) return;
    const point = this.#options.screen.point(log.head - limits.INTERRUPT_KEPT_BYTES);
    if (point.offset <= viewer.cursor) return;
    this.#skip(viewer, point);
    this.progressed(viewer);
  }

  /** `viewer` can take more, or acknowledged something. */
  progressed(viewer: Viewer): void {
    this.#feed(viewer);
    this.#options.moved();
    this.#decide();
  }

  /** A change was added to the log of sizes, or an event to that of events. */
  changed(): void {
    for (const viewer of this.#viewers) this.#feed(viewer);
  }

  close(): void {
    this.#recheck?.cancel();
    this.#viewers.clear();
  }

  #feed(viewer: Viewer): void {
    if (!viewer.ready) return;
    viewer.sendRest();
    this.#feedOutput(viewer);
    this.#feedEvents(viewer);
  }

  #feedOutput(viewer: Viewer): void {
    const { log, screen } = this.#options;
    const { sizes } = screen;
    const isLost = viewer.cursor < log.foldedTo || viewer.nextSize < sizes.oldest;
    if (isLost && viewer.room > 0) this.#skip(viewer, screen.point());
    // Sizes in the order of the log: output up to a change, the change, and what was written for it.
    for (;;) {
      const change = sizes.at(viewer.nextSize);
      const end = Math.min(log.head, change?.offset ?? log.head);
      const to = Math.min(end, viewer.cursor + viewer.room);
      if (to > viewer.cursor) viewer.sendOutput(log, to);
      if (change === undefined || viewer.cursor < change.offset) return;
      viewer.sendSize(change.offset, change.size);
      viewer.nextSize += 1;
    }
  }

  #feedEvents(viewer: Viewer): void {
    const { events } = this.#options;
    if (viewer.nextEvent >= events.next) return;
    viewer.nextEvent = Math.max(viewer.nextEvent, events.oldest);
    for (;;) {
      const event = events.at(viewer.nextEvent);
      if (event === undefined || event.offset > viewer.cursor) return;
      if (!viewer.sendShell(event)) return;
      viewer.nextEvent += 1;
    }
  }

  #skip(viewer: Viewer, point: LogPoint): void {
    viewer.nextSize = point.sizes;
    viewer.sendGap(point);
  }

  /** What counts as long as nobody has come who is awaited. Absent: nobody is. */
  #forAwaited(
    head: number,
    now: number,
  ): { readonly floor: number; readonly lag: number } | undefined {
    const awaited = this.#awaited;
    if (awaited === undefined) return undefined;
    const hasCome = [...this.#viewers].some((viewer) => viewer.ready);
    if (!hasCome && now < awaited.until) return { floor: awaited.from, lag: head - awaited.head };
    this.#awaited = undefined;
    return undefined;
  }

  #decide(): void {
    const { log, clock } = this.#options;
    const now = clock.now();
    const { head } = log;
    const { floor, lag } =
      this.#forAwaited(head, now) ??
      decidePace(this.#viewers, this.#pace, head, now, (viewer) =>
        this.#patience.isWorthWaiting(viewer, head, now),
      );
    log.protect(floor);
    if (lag < this.#highWaterBytes && log.hasRoom(READ_BYTES)) {
      this.#recheck?.cancel();
      this.#recheck = undefined;
      this.#patience.charge([], now);
      this.#options.resumeReading();
      return;
    }
    this.#options.pauseReading();
    const isCharged = this.#pace === 'fastest' && this.#viewers.size > 1;
    this.#patience.charge(
      isCharged ? whoHoldsUp(this.#viewers, this.#highWaterBytes, head, now) : [],
      now,
    );
    this.#recheck ??= clock.after(RECHECK_MS, () => {
      this.#recheck = undefined;
      this.#decide();
    });
  }
}
