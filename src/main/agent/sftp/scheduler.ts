/**
 * What a request touches, as far as its order against others matters. The draft (section 4.1) wants
 * results as if requests on the same file ran one after another; all else may overlap.
 */
export type Access =
  /** Changes names or attributes, or closes: runs alone. */
  | { readonly kind: 'alone' }
  /** Reads names or attributes; sees every write that came before it. */
  | { readonly kind: 'look' }
  /** Moves through a folder, so one at a time for each `key`; otherwise like `look`. */
  | { readonly kind: 'list'; readonly key: string }
  /**
   * Data of one file, `from` to before `to`. Reads never collide. Writes do where they overlap. A read
   * and a write do unless the read begins behind the write: one further on may move the end of the
   * file, and with it what the read sees.
   */
  | {
      readonly kind: 'read' | 'write';
      readonly key: string;
      readonly from: number;
      readonly to: number;
    };

/** Whether `later` must wait until `earlier` has ended. */
export function collides(earlier: Access, later: Access): boolean {
  if (earlier.kind === 'alone' || later.kind === 'alone') return true;
  switch (earlier.kind) {
    case 'look':
      return later.kind === 'write';
    case 'list':
      return later.kind === 'write' || (later.kind === 'list' && later.key === earlier.key);
    case 'read':
    case 'write':
      if (later.kind === 'look' || later.kind === 'list') return earlier.kind === 'write';
      return earlier.key === later.key && rangesCollide(earlier, later);
  }
}

/** Key of the file whose data it moves. Absent: it moves none. */
export function movedFile(access: Access): string | undefined {
  return 'from' in access ? access.key : undefined;
}

/** Whether both move data of one file: those start in the order in which they came, to be answered in it. */
function keepOrder(earlier: Access, later: Access): boolean {
  const key = movedFile(earlier);
  return key !== undefined && key === movedFile(later);
}

type Range = Extract<Access, { readonly from: number }>;

function rangesCollide(one: Range, other: Range): boolean {
  if (one.kind === other.kind) {
    return one.kind === 'write' && one.from < other.to && other.from < one.to;
  }
  const [read, write] = one.kind === 'read' ? [one, other] : [other, one];
  return read.from < write.to;
}

interface Task {
  readonly access: Access;
  readonly run: () => Promise<void>;
  readonly replyBytes: number;
  /** Earlier tasks that it still waits for. */
  blockers: number;
  readonly dependents: Task[];
}

export interface SchedulerOptions {
  /** Most tasks at work at a time; the rest of the process shares the same few pool threads. */
  readonly parallel: number;
  /** Whether a reply of this many bytes may be produced now; if not, `pump` is called later. */
  readonly room: (replyBytes: number) => boolean;
  /** Called after each task, when its place is free again. */
  readonly onEnd: () => void;
}

/**
 * Starts tasks in the order in which they came, beside each other where their accesses allow it. Reads and
 * writes of one file start in their order.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  /** All that have not ended, oldest first. Its size is bounded by the caller. */
  readonly #unfinished = new Set<Task>();
  #ready: Task[] = [];
  #running = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Tasks that were added and have not ended. */
  get size(): number {
    return this.#unfinished.size;
  }

  get running(): number {
    return this.#running;
  }

  /** Adds a task. `run` must not reject. `replyBytes`: about how large its reply will be. */
  add(access: Access, replyBytes: number, run: () => Promise<void>): void {
    const task: Task = { access, run, replyBytes, blockers: 0, dependents: [] };
    for (const earlier of this.#unfinished) {
      const isHeld = earlier.blockers > 0;
      if (collides(earlier.access, access) || (isHeld && keepOrder(earlier.access, access))) {
        earlier.dependents.push(task);
        task.blockers += 1;
      }
    }
    this.#unfinished.add(task);
    if (task.blockers === 0) this.#ready.push(task);
    this.pump();
  }

  /** Starts what can start. Call it when `room` may have changed its answer. */
  pump(): void {
    while (this.#running < this.#options.parallel) {
      const task = this.#ready[0];
      if (task === undefined || !this.#options.room(task.replyBytes)) return;
      this.#ready.shift();
      this.#running += 1;
      void task.run().then(() => this.#ended(task));
    }
  }

  /** Forgets every task that has not started. Those at work end by themselves. */
  drop(): void {
    for (const task of this.#ready) this.#unfinished.delete(task);
    for (const task of this.#unfinished) {
      if (task.blockers > 0) this.#unfinished.delete(task);
      task.dependents.length = 0;
    }
    this.#ready = [];
  }

  #ended(task: Task): void {
    this.#running -= 1;
    this.#unfinished.delete(task);
    for (const dependent of task.dependents) {
      dependent.blockers -= 1;
      if (dependent.blockers === 0) this.#ready.push(dependent);
    }
    this.pump();
    this.#options.onEnd();
  }
}
