import { limits, type Clock, type Timer } from '../../shared/common/index.js';
import {
  encodePresenceCommon,
  presenceJson,
  type Presence,
  type PresenceRow,
} from '../../shared/common/wire/index.js';
import type { Viewer } from './viewer.js';

/** A backlog below this is what a flood leaves in flight, and nobody's trouble. */
const BEHIND_BYTES = limits.RING_BYTES;

/** What of a terminal is told beside its viewers. */
export type PresenceFacts = Pick<Presence, 'sizeOwner' | 'driver' | 'pace' | 'sizePolicy'>;

export interface PresenceBoardOptions {
  readonly clock: Clock;
  readonly viewers: Iterable<Viewer>;
  head(): number;
  facts(): PresenceFacts;
}

/**
 * Tells the viewers who is there. What it costs is bounded whatever the crowd does: it is encoded once for
 * those who may type and once for those who only watch, told once per turn, and so often that all of it
 * together stays within {@link limits.PRESENCE_BYTES_PER_SECOND}. A viewer that takes nothing is told
 * the latest state when it does, not each one that it missed.
 */
export class PresenceBoard {
  readonly #options: PresenceBoardOptions;
  /** Those who have not had the latest. */
  readonly #owed = new Set<Viewer>();
  /** What was told last. */
  #parts: CommonParts | undefined;
  #factsChanged = false;
  #immediate: NodeJS.Immediate | undefined;
  #timer: Timer | undefined;
  #figuresTimer: Timer | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** When the last telling is paid for. */
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(options: PresenceBoardOptions) {
    this.#options = options;
  }

  /** `viewer` is there; it is told who else is as soon as it has been attached. */
  joined(viewer: Viewer): void {
    this.#owed.add(viewer);
    this.changed();
  }

  left(viewer: Viewer): void {
    this.#owed.delete(viewer);
    if (viewer.ready) this.changed();
  }

  /** Somebody came or went, or control changed hands: told in this turn if the budget allows. */
  changed(): void {
    if (this.#immediate !== undefined || this.#timer !== undefined) return;
    const { clock } = this.#options;
    const wait = this.#notBefore - clock.now();
    if (wait > 0) {
      this.#timer = clock.after(wait, () => {
        this.#timer = undefined;
        this.#publish();
      });
      return;
    }
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined;
      this.#publish();
    });
  }

  /** Who decides the size, or how, has changed: as often as figures, since windows are dragged. */
  factsChanged(): void {
    this.#factsChanged = true;
    this.figuresChanged();
  }

  /** Latencies, backlogs or windows may have changed. Cheap, since each pump calls it. */
  figuresChanged(): void {
    if (this.#figuresTimer !== undefined) return;
    const { clock } = this.#options;
    const wait = Math.max(0, this.#lookedAt + limits.PRESENCE_FIGURES_MS - clock.now());
    this.#figuresTimer = clock.after(wait, () => {
      this.#figuresTimer = undefined;
      this.#lookedAt = clock.now();
      if (this.#factsChanged || this.#figuresDiffer()) this.changed();
    });
  }

  /** `viewer` can take more than before: it gets the latest, if that passed it by. */
  progressed(viewer: Viewer): void {
    if (this.#parts === undefined || this.#immediate !== undefined) return;
    if (viewer.ready && this.#owed.has(viewer)) this.#charge(this.#tell(viewer, this.#parts));
  }

  /**
   * Who is there, those who type first, at most `names` of them. Not `full`: only those who type, and
   * of them nothing but who they are; that is what somebody sees who may only watch.
   */
  describe({ full, names }: { readonly full: boolean; readonly names: number }): Presence {
    const head = this.#options.head();
    const ready = [...this.#options.viewers].filter((viewer) => viewer.ready);
    const typing = ready.filter((viewer) => viewer.mayType);
    const listed = full ? [...typing, ...ready.filter((viewer) => !viewer.mayType)] : typing;
    return {
      viewers: ready.length,
      ...this.#options.facts(),
      names: listed.slice(0, names).map((viewer) => describeViewer(viewer, head, full)),
    };
  }

  close(): void {
    clearImmediate(this.#immediate);
    this.#timer?.cancel();
    this.#figuresTimer?.cancel();
    this.#owed.clear();
  }

  #publish(): void {
    this.#factsChanged = false;
    const parts = new CommonParts(
      this.describe({ full: true, names: limits.PRESENCE_NAMES }),
      this.describe({ full: false, names: limits.PRESENCE_NAMES }),
    );
    this.#parts = parts;
    let bytes = 0;
    for (const viewer of this.#options.viewers) {
      if (viewer.ready) bytes += this.#tell(viewer, parts);
    }
    this.#charge(bytes);
  }

  #charge(bytes: number): void {
    const now = this.#options.clock.now();
    const ms = (bytes / limits.PRESENCE_BYTES_PER_SECOND) * 1_000;
    this.#notBefore = Math.max(now, this.#notBefore) + ms;
  }

  /** Only those who may type are told figures. */
  #figuresDiffer(): boolean {
    if (![...this.#options.viewers].some((viewer) => viewer.rights === 'type')) return false;
    const told = new Map(this.#parts?.all.names.map((row) => [row.id, row]));
    const { names } = this.describe({ full: true, names: limits.PRESENCE_NAMES });
    return names.some((row) => differs(told.get(row.id), row));
  }

  #tell(viewer: Viewer, parts: CommonParts): number {
    const common = viewer.rights === 'view' ? parts.some : parts.full;
    if (viewer.sendPresence(common)) this.#owed.delete(viewer);
    else this.#owed.add(viewer);
    return common.length;
  }
}

/** One state of the board, each half of it encoded when somebody first needs it. */
class CommonParts {
  readonly all: Presence;
  readonly #less: Presence;
  #full: Uint8Array | undefined;
  #some: Uint8Array | undefined;

  constructor(all: Presence, less: Presence) {
    this.all = all;
    this.#less = less;
  }

  get full(): Uint8Array {
    return (this.#full ??= encodePresenceCommon(presenceJson(this.all)));
  }

  get some(): Uint8Array {
    return (this.#some ??= encodePresenceCommon(presenceJson(this.#less)));
  }
}

function describeViewer(viewer: Viewer, head: number, full: boolean): PresenceRow {
  const { id, subject, window, latencyMs } = viewer;
  const mode = viewer.mayType ? 'type' : 'view';
  if (!full) return { id, subject, mode, behind: 0 };
  const backlog = head - viewer.acked;
  // Told as none, since no change of it is told: whoever came back would be seen behind by a little for ever.
  const behind = backlog < BEHIND_BYTES ? 0 : backlog;
  return {
    id,
    subject,
    mode,
    ...window,
    ...(latencyMs === undefined ? {} : { latencyMs }),
    behind,
  };
}

/** Whether the difference is worth a message to everybody. */
function differs(before: PresenceRow | undefined, now: PresenceRow): boolean {
  if (before === undefined) return true;
  if (before.rows !== now.rows || before.cols !== now.cols) return true;
  if (magnitude(before.behind) !== magnitude(now.behind)) return true;
  if (now.latencyMs === undefined || before.latencyMs === undefined)
    return now.latencyMs !== before.latencyMs;
  const change = Math.abs(now.latencyMs - before.latencyMs);
  return change > Math.max(5, before.latencyMs / 4);
}

/** 0 for what is usual in a flood, one more for each doubling. */
function magnitude(bytes: number): number {
  return bytes < BEHIND_BYTES ? 0 : Math.floor(Math.log2(bytes / BEHIND_BYTES)) + 1;
}
