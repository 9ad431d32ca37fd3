import {
  assertNever,
  HoldfastError,
  limits,
  toErrorRecord,
  type ErrorRecord,
  type Logger,
  type ViewerId,
} from '../../shared/common/index.js';
import {
  viewerEventJson,
  type ViewerControl,
  type ViewerEvent,
} from '../../shared/common/wire/index.js';
import type { TerminalAnswer, TerminalQuestion } from '../../shared/node/ports/index.js';
import type { PresenceBoard } from './presence.js';
import type { SizeOwner } from './size-owner.js';
import type { Viewer } from './viewer.js';

export interface ControlDeskOptions {
  readonly viewers: Iterable<Viewer>;
  readonly sizes: SizeOwner;
  readonly presence: PresenceBoard;
  readonly logger: Logger;
  now(): number;
  head(): number;
  /** Other viewers' input is taken from here on. */
  driverChanged(): void;
}

/** What one viewer was answered lately; the limits are its own, so nobody can use up another's. */
interface Answered {
  askedAt: number;
  probedAt: number;
  refusedAt: number;
  /** Input that was not typed since the last refusal was told. */
  refusedBytes: number;
}

/**
 * Who decides among the viewers of one terminal. Rights come from tickets alone and never change here: of
 * those who may type, one can be made the only one who does.
 */
export class ControlDesk {
  readonly #options: ControlDeskOptions;
  readonly #answered = new WeakMap<Viewer, Answered>();
  #driver: Viewer | undefined;

  constructor(options: ControlDeskOptions) {
    this.#options = options;
  }

  /** The only viewer whose input is taken. Absent: everybody's who may type. */
  get driver(): Viewer | undefined {
    return this.#driver;
  }

  /** Whether input of `viewer` goes to the program now. */
  takesInputOf(viewer: Viewer): boolean {
    return viewer.mayType && (this.#driver === undefined || this.#driver === viewer);
  }

  /** Input of `viewer` was not typed, since another one has the control: it is told, but not for each key. */
  refuseInput(viewer: Viewer, bytes: number): void {
    const answered = this.#answersTo(viewer);
    answered.refusedBytes += bytes;
    if (this.#options.now() - answered.refusedAt < limits.VIEWER_ASK_MS) return;
    answered.refusedAt = this.#options.now();
    const subject = this.#driver?.subject ?? 'somebody else';
    this.#send(viewer, {
      type: 'refused',
      code: 'ERR_NOT_DRIVER',
      message: `${subject} has the control; this was not typed`,
      bytes: answered.refusedBytes,
    });
    answered.refusedBytes = 0;
  }

  /** Does what `viewer` asks for, or tells it why not. */
  handle(viewer: Viewer, control: ViewerControl): void {
    this.attempt(viewer, () => {
      this.#do(viewer, control);
    });
  }

  /** Runs `step` for `viewer`; what it refuses is told to the viewer and ends nothing. */
  attempt(viewer: Viewer, step: () => void): void {
    try {
      step();
    } catch (error) {
      // An own defect must not look like a refusal.
      if (!(error instanceof HoldfastError)) throw error;
      this.#send(viewer, { type: 'refused', ...toErrorRecord(error) });
    }
  }

  /** `viewer` is gone. Control goes back to all: a lost connection must not lock the others out. */
  left(viewer: Viewer): void {
    if (this.#driver !== viewer) return;
    this.#setDriver(undefined, { viewer: viewer.id, subject: viewer.subject });
  }

  /**
   * Ends the viewing of `id` for good: its client does not come back by itself.
   * @param by who wants it so, for the others and the log.
   * @throws {HoldfastError} ERR_VIEWER_NOT_FOUND.
   */
  drop(id: ViewerId, by: string): void {
    const viewer = this.#find(id);
    const { subject } = viewer;
    const error: ErrorRecord = {
      code: 'ERR_VIEWER_DROPPED',
      message: `${by} ended this viewing`,
    };
    this.#options.logger.info('viewer dropped', { viewer: id, subject, by });
    this.#tellTyping({ type: 'viewer-dropped', viewer: id, subject, by });
    viewer.end(error);
  }

  /** What main asks; the answer crosses a thread, and so do refusals. */
  answer(question: TerminalQuestion): TerminalAnswer {
    try {
      switch (question.type) {
        case 'viewers': {
          const { full } = question;
          const presence = this.#options.presence.describe({ full, names: limits.MAX_VIEWERS });
          return { type: 'viewers', presence };
        }
        case 'drop':
          this.drop(question.viewer, question.by);
          return { type: 'done' };
        default:
          return assertNever(question);
      }
    } catch (error) {
      return { type: 'refused', error: toErrorRecord(error) };
    }
  }

  #do(viewer: Viewer, control: ViewerControl): void {
    const { sizes } = this.#options;
    switch (control.type) {
      case 'latency':
        this.#latency(viewer, control.ms, control.probe);
        return;
      case 'request-control':
        this.#request(viewer);
        return;
      case 'claim-size':
        requireTyping(viewer);
        sizes.configure(viewer, 'mine');
        return;
      case 'release-size':
        requireTyping(viewer);
        sizes.release(viewer);
        return;
      case 'hand-over':
        requireTyping(viewer);
        this.#handOver(viewer, control.viewer);
        return;
      case 'release-control':
        requireTyping(viewer);
        if (this.#driver === undefined) return;
        this.#requireControl(viewer);
        this.#setDriver(undefined, about(this.#driver, viewer));
        return;
      case 'drop':
        if (!viewer.isOwner) {
          throw new HoldfastError('ERR_FORBIDDEN', 'only the owner may drop viewers');
        }
        this.drop(control.viewer, viewer.subject);
        return;
      default:
        assertNever(control);
    }
  }

  #latency(viewer: Viewer, ms: number | undefined, probe: number | undefined): void {
    const { now, presence } = this.#options;
    if (ms !== undefined) {
      viewer.latencyMs = Math.min(ms, limits.MAX_LATENCY_MS);
      presence.figuresChanged();
    }
    const answered = this.#answersTo(viewer);
    if (probe === undefined || now() - answered.probedAt < limits.VIEWER_ASK_MS) return;
    answered.probedAt = now();
    this.#send(viewer, { type: 'probe', probe });
  }

  #request(viewer: Viewer): void {
    const answered = this.#answersTo(viewer);
    const { now } = this.#options;
    if (now() - answered.askedAt < limits.VIEWER_ASK_MS) {
      throw new HoldfastError('ERR_RATE_LIMITED', 'you have just asked for control');
    }
    answered.askedAt = now();
    this.#tellTyping({ type: 'control-requested', viewer: viewer.id, subject: viewer.subject });
  }

  #handOver(viewer: Viewer, id: ViewerId): void {
    this.#requireControl(viewer);
    const next = this.#find(id);
    if (!next.mayType) {
      throw new HoldfastError('ERR_READ_ONLY', `${next.subject} may only watch, or chose to`);
    }
    this.#setDriver(next, about(next, viewer));
  }

  /** Whoever has the control decides about it; while nobody has, all who type do; an owner always. */
  #requireControl(viewer: Viewer): void {
    if (this.#driver === undefined || this.#driver === viewer || viewer.isOwner) return;
    throw new HoldfastError('ERR_NOT_DRIVER', `${this.#driver.subject} has the control`);
  }

  #setDriver(
    driver: Viewer | undefined,
    who: { readonly viewer: ViewerId; readonly subject: string; readonly by?: string },
  ): void {
    if (this.#driver === driver) return;
    this.#driver = driver;
    this.#options.driverChanged();
    const type = driver === undefined ? 'control-released' : 'control-granted';
    this.#options.logger.info(type, who);
    this.#tellTyping({ type, ...who });
    this.#options.presence.changed();
  }

  /** @throws {HoldfastError} ERR_VIEWER_NOT_FOUND. */
  #find(id: ViewerId): Viewer {
    for (const viewer of this.#options.viewers) if (viewer.id === id && viewer.ready) return viewer;
    throw new HoldfastError('ERR_VIEWER_NOT_FOUND', `no viewer ${String(id)}`);
  }

  #answersTo(viewer: Viewer): Answered {
    const known = this.#answered.get(viewer);
    if (known !== undefined) return known;
    const never = Number.NEGATIVE_INFINITY;
    const fresh = { askedAt: never, probedAt: never, refusedAt: never, refusedBytes: 0 };
    this.#answered.set(viewer, fresh);
    return fresh;
  }

  #tellTyping(event: ViewerEvent): void {
    const json = viewerEventJson(this.#options.head(), event);
    for (const viewer of this.#options.viewers) {
      if (viewer.ready && viewer.mayType) viewer.sendEvent(json);
    }
  }

  #send(viewer: Viewer, event: ViewerEvent): void {
    viewer.sendEvent(viewerEventJson(this.#options.head(), event));
  }
}

function requireTyping(viewer: Viewer): void {
  if (!viewer.mayType) throw new HoldfastError('ERR_READ_ONLY', 'this viewer may only watch');
}

function about(
  { id, subject }: Viewer,
  by: Viewer,
): { readonly viewer: ViewerId; readonly subject: string; readonly by?: string } {
  return { viewer: id, subject, ...(by.id === id ? {} : { by: by.subject }) };
}
