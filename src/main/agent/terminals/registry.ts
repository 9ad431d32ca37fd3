import { constants } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import {
  HoldfastError,
  limits,
  once,
  toErrorRecord,
  type Clock,
  type Logger,
  type TerminalId,
  type Timer,
  type ViewerId,
} from '../../../shared/common/index.js';
import {
  parseTerminalLabel,
  type Presence,
  type TerminalInfo,
  type TerminalSize,
} from '../../../shared/common/wire/index.js';
import type {
  CreateRequest,
  CreateResult,
  WaitResult,
} from '../../../shared/common/peer-auth/index.js';
import type { FaultKind, RecordSpec } from '../../../shared/node/ports/index.js';
import type { IncomingChannel } from '../peers/types.js';
import { WorkerPool, type TaskPool } from '../worker-pool/index.js';
import { TerminalSession } from './pty-session.js';
import { readForeground } from './foreground.js';
import { refuseChannel } from './refuse-channel.js';
import { TerminalHandle, terminalNotFound } from './terminal-handle.js';
import { Waiters } from './waiters.js';
import type { PtyCommand, PtySession, TerminalFacts, Terminals } from './types.js';

export interface TerminalsOptions {
  /** Worker threads; at least 1, and two so that one flood leaves room. */
  readonly workers: number;
  readonly ringBytes: number;
  readonly maxTerminals: number;
  /** Terminals that one subject may have, PTYs of its SSH sessions among them. */
  readonly maxTerminalsPerSubject: number;
  /** With nobody attached, in ms. 0: for ever. */
  readonly idleMs: { readonly terminal: number; readonly reconnectingPty: number };
  readonly beatMs: number;
  /** Opens the test door of the workers. */
  readonly faults: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where terminals are served. Absent: threads of their own. Belongs to the registry from here on. */
  readonly pool?: TaskPool | undefined;
  /**
   * What a new terminal runs: the user's shell unless `launch` names something else.
   * @throws {HoldfastError} ERR_SHELL_NOT_FOUND, ERR_DIRECTORY_NOT_FOUND, ERR_INVALID_ARGUMENT.
   */
  prepareShell(id: TerminalId, launch: LaunchRequest): Promise<Omit<PtyCommand, 'size'>>;
  /** Another worker has a terminal, since the one before died. */
  onMoved?(id: TerminalId): void;
  /** A terminal has ended; its id is free. */
  onEnded?(id: TerminalId): void;
  /** Name of the recording that is being made of a terminal. Absent: none is. */
  recordingOf?(id: TerminalId): string | undefined;
}

/** What a terminal shall run, and where; see `create` of the control channel. */
export type LaunchRequest = Pick<CreateRequest, 'command' | 'directory'>;

type TerminalProtocol = 'terminal' | 'reconnecting-pty';

/** A terminal's place in the registry: taken before the fork, so that two attaches get one PTY. */
interface Entry {
  readonly handle: TerminalHandle;
  /** Attaches that wait for the fork. Absent: it is done. */
  waiting: (() => void)[] | undefined;
  /** Why the fork did not happen; those who waited for it are told the same. */
  failure: { readonly cause: unknown } | undefined;
  /** Subject that started it; its quota counts it. */
  readonly owner: string;
  readonly waiters: Waiters;
  idleMs: number;
  /** Somebody chose the idle time; an attach by another protocol does not lengthen it. */
  idleChosen: boolean;
  idleTimer: Timer | undefined;
  lastActiveAt: number;
}

/** How a terminal is to be started, if it is not there. */
interface Start {
  readonly size: TerminalSize;
  readonly launch: LaunchRequest;
  /** This one reserved it, so it forks. */
  readonly creator: boolean;
}

/** Terminals that the list looks up in /proc at a time. */
const LIST_STEP = 32;

/** Time for viewers of a closing agent to take the last output. */
const CLOSE_PATIENCE_MS = 1_000;
const HEAP_MB = 512;
/** One worker takes all of them if need be. */
const TASKS_PER_WORKER = 8_192;

/**
 * The agent's terminals: routes channels to them by id, starts what is new, and ends what nobody has looked
 * at for long. Of the bytes it sees none.
 */
export class TerminalRegistry implements Terminals {
  readonly #options: TerminalsOptions;
  readonly #pool: TaskPool;
  readonly #growthBudget = new SharedArrayBuffer(4);
  readonly #entries = new Map<TerminalId, Entry>();
  /** Exited and still being shown to their viewers; the ids are free again. */
  readonly #leaving = new Set<TerminalHandle>();
  /** With the subjects they belong to. */
  readonly #sessions = new Map<TerminalSession, string>();
  #lastViewer = 0;
  #lastSession = 0;
  #closing = false;

  constructor(options: TerminalsOptions) {
    this.#options = options;
    new Int32Array(this.#growthBudget)[0] = limits.RING_GROWTH_BUDGET_BYTES;
    this.#pool =
      options.pool ??
      new WorkerPool({
        name: 'terminal',
        entry: new URL('../../../workers/terminal/entry.js', import.meta.url),
        size: options.workers,
        tasksPerWorker: TASKS_PER_WORKER,
        beatMs: options.beatMs,
        faults: options.faults,
        maxHeapMb: HEAP_MB,
        clock: options.clock,
        logger: options.logger,
      });
  }

  /** Starts the worker threads. */
  start(): void {
    this.#pool.start();
  }

  /** Workers died too often lately; nothing new is started. */
  get degraded(): boolean {
    return this.#pool.degraded;
  }

  get count(): number {
    return this.#entries.size + this.#sessions.size;
  }

  attach(channel: IncomingChannel): void {
    const protocol: TerminalProtocol =
      channel.protocol === 'terminal' ? 'terminal' : 'reconnecting-pty';
    this.#route(channel, protocol).catch((error: unknown) => {
      const record = toErrorRecord(error);
      this.#options.logger.warn('channel refused', {
        connectionId: channel.peer.connectionId,
        protocol,
        ...record,
      });
      refuseChannel(channel, protocol, record);
    });
  }

  async openSession(command: PtyCommand, subject = ''): Promise<PtySession> {
    this.#requireRoom(subject);
    this.#lastSession += 1;
    const session = new TerminalSession({
      ...this.#handleOptions(),
      id: `ssh-${String(this.#lastSession)}` as TerminalId,
      nextViewer: () => this.#nextViewer(),
    });
    session.start(command);
    this.#sessions.set(session, subject);
    void session.exited.then(() => this.#sessions.delete(session));
    return Promise.resolve(session);
  }

  async create(id: TerminalId, request: CreateRequest, subject: string): Promise<CreateResult> {
    const existing = this.#entries.get(id);
    const entry =
      existing ??
      this.#reserve(id, {
        owner: subject,
        idleMs: request.idleMs ?? this.#idleMs('terminal'),
        idleChosen: request.idleMs !== undefined,
      });
    await this.#forked(entry, { size: request, launch: request, creator: existing === undefined });
    // Nobody is attached yet, and perhaps nobody will be.
    if (existing === undefined) this.#viewersChanged(entry, entry.handle.viewers);
    return { created: existing === undefined, epoch: entry.handle.epoch };
  }

  async list(): Promise<TerminalInfo[]> {
    const rows: TerminalInfo[] = [];
    const entries = [...this.#entries.values()];
    for (let at = 0; at < entries.length; at += LIST_STEP) {
      const step = entries.slice(at, at + LIST_STEP).map((entry) => this.#describe(entry));
      rows.push(...(await Promise.all(step)));
    }
    return rows;
  }

  async kill(id: TerminalId, signal?: string): Promise<void> {
    const { handle } = this.#entry(id);
    if (signal === undefined) {
      await handle.end(CLOSE_PATIENCE_MS, { all: true });
      return;
    }
    if (!(signal in constants.signals)) {
      throw new HoldfastError('ERR_INVALID_ARGUMENT', `there is no signal ${signal} here`);
    }
    handle.signalAll(signal as NodeJS.Signals);
  }

  async viewers(id: TerminalId, full: boolean): Promise<Presence> {
    return await this.#entry(id).handle.describeViewers(full);
  }

  async dropViewer(id: TerminalId, viewer: ViewerId, by: string): Promise<void> {
    await this.#entry(id).handle.dropViewer(viewer, by);
  }

  async setIdle(id: TerminalId, idleMs: number): Promise<void> {
    const entry = this.#entry(id);
    entry.idleMs = idleMs;
    entry.idleChosen = true;
    this.#watchIdle(entry, entry.handle.viewers);
    return Promise.resolve();
  }

  async wait(
    id: TerminalId,
    timeoutMs: number | undefined,
    gone: AbortSignal,
  ): Promise<WaitResult> {
    return await this.#entry(id).waiters.wait(timeoutMs, gone);
  }

  facts(id: TerminalId): TerminalFacts {
    const { epoch, title, termType } = this.#running(id);
    return { epoch, title, termType };
  }

  feed(id: TerminalId, port: MessagePort, spec: RecordSpec): boolean {
    return this.#running(id).feed(port, spec);
  }

  /** Kills the worker that serves `id`, for tests; does nothing unless the door was opened at start. */
  injectFault(id: TerminalId, kind: FaultKind): void {
    this.#entry(id).handle.fault(kind);
  }

  readonly close = once(async () => {
    this.#closing = true;
    for (const { idleTimer } of this.#entries.values()) idleTimer?.cancel();
    await Promise.all([
      ...[...this.#entries.values()].map(({ handle }) =>
        handle.end(CLOSE_PATIENCE_MS, { all: true }),
      ),
      ...[...this.#leaving].map((handle) => handle.end(CLOSE_PATIENCE_MS, { all: true })),
      ...[...this.#sessions.keys()].map((session) => session.endAll()),
    ]);
    await this.#pool.close();
  });

  async #route(channel: IncomingChannel, protocol: TerminalProtocol): Promise<void> {
    const label = parseTerminalLabel(channel.label, protocol);
    const access = channel.peer.permissions.terminalAccess(label.id);
    if (access === 'none') {
      throw new HoldfastError('ERR_FORBIDDEN', 'the ticket does not allow this terminal');
    }
    const existing = this.#entries.get(label.id);
    // Whoever may only watch cannot start what there is to be watched.
    if (existing === undefined && access === 'view') throw terminalNotFound(label.id);
    const idleMs = this.#idleMs(protocol);
    const entry =
      existing ??
      this.#reserve(label.id, { owner: channel.peer.subject, idleMs, idleChosen: false });
    if (!entry.idleChosen) entry.idleMs = longer(entry.idleMs, idleMs);
    await this.#forked(entry, { size: label, launch: {}, creator: existing === undefined });
    // It may have ended while we waited; then the channel closes and its viewer comes back.
    if (entry.handle.viewers >= limits.MAX_VIEWERS) {
      throw new HoldfastError('ERR_PEER_LIMIT', 'this terminal has too many viewers');
    }
    entry.handle.attach(
      {
        viewer: this.#nextViewer(),
        protocol,
        subject: channel.peer.subject,
        mayType: access === 'type',
        isOwner: channel.peer.permissions.isOwner(),
        created: existing === undefined,
        size: { rows: label.rows, cols: label.cols },
      },
      channel.handle,
    );
  }

  /** In one turn with the look-up, so that of fifty attaches to a new id one creates and the rest wait. */
  #reserve(id: TerminalId, options: Pick<Entry, 'owner' | 'idleMs' | 'idleChosen'>): Entry {
    this.#requireRoom(options.owner);
    const handle = new TerminalHandle({
      ...this.#handleOptions(),
      id,
      replays: true,
      pace: 'fastest',
      sizePolicy: 'latest',
      onViewers: (count) => {
        this.#viewersChanged(entry, count);
      },
      onExited: () => {
        this.#retire(entry);
      },
      onMoved: () => {
        this.#options.onMoved?.(id);
      },
    });
    const entry: Entry = {
      handle,
      waiting: [],
      failure: undefined,
      ...options,
      waiters: new Waiters(this.#options.clock),
      idleTimer: undefined,
      lastActiveAt: this.#options.clock.now(),
    };
    this.#entries.set(id, entry);
    return entry;
  }

  /** The creator forks; the others wait for it, and fail with it. */
  async #forked(entry: Entry, { size, launch, creator }: Start): Promise<void> {
    const { id } = entry.handle;
    if (!creator) {
      if (entry.waiting === undefined) return;
      await new Promise<void>((resolve) => entry.waiting?.push(resolve));
      if (entry.failure !== undefined) throw entry.failure.cause;
      return;
    }
    try {
      const command = await this.#options.prepareShell(id, launch);
      this.#requireOpen();
      entry.handle.start({ ...command, size: { rows: size.rows, cols: size.cols } });
    } catch (error) {
      this.#entries.delete(id);
      entry.failure = { cause: error };
      throw error;
    } finally {
      const waiting = entry.waiting ?? [];
      entry.waiting = undefined;
      for (const resume of waiting) resume();
    }
    this.#options.logger.info('terminal started', { terminal: id, pid: entry.handle.pid });
  }

  #viewersChanged(entry: Entry, count: number): void {
    entry.lastActiveAt = this.#options.clock.now();
    this.#watchIdle(entry, count);
  }

  /** Begins to count the idle time anew, unless somebody is there. */
  #watchIdle(entry: Entry, viewers: number): void {
    entry.idleTimer?.cancel();
    entry.idleTimer = undefined;
    if (viewers > 0 || entry.idleMs === 0 || this.#closing) return;
    entry.idleTimer = this.#options.clock.after(entry.idleMs, () => {
      this.#options.logger.info('terminal idle for too long', { terminal: entry.handle.id });
      void entry.handle.end(CLOSE_PATIENCE_MS, { all: false });
    });
  }

  #retire(entry: Entry): void {
    const { handle } = entry;
    entry.idleTimer?.cancel();
    if (this.#entries.get(handle.id) !== entry) return;
    this.#entries.delete(handle.id);
    entry.waiters.tell({ ended: 'terminal', exit: handle.exit ?? { kind: 'unknown' } });
    this.#options.onEnded?.(handle.id);
    this.#options.logger.info('terminal ended', { terminal: handle.id, bytes: handle.bytes });
    this.#leaving.add(handle);
    void handle.closed.then(() => this.#leaving.delete(handle));
  }

  #handleOptions(): {
    readonly ringBytes: number;
    readonly growthBudget: SharedArrayBuffer;
    readonly pool: TaskPool;
    readonly clock: Clock;
    readonly logger: Logger;
  } {
    return {
      ringBytes: this.#options.ringBytes,
      growthBudget: this.#growthBudget,
      pool: this.#pool,
      clock: this.#options.clock,
      logger: this.#options.logger,
    };
  }

  #idleMs(protocol: TerminalProtocol): number {
    const { idleMs } = this.#options;
    return protocol === 'terminal' ? idleMs.terminal : idleMs.reconnectingPty;
  }

  #running(id: TerminalId): TerminalHandle {
    const { handle } = this.#entry(id);
    if (handle.state !== 'running') throw terminalNotFound(id);
    return handle;
  }

  #requireOpen(): void {
    if (this.#closing) throw new HoldfastError('ERR_CLOSED', 'the agent is closing');
  }

  #requireRoom(subject: string): void {
    this.#requireOpen();
    this.#pool.requireHealthy();
    if (this.count >= this.#options.maxTerminals) {
      throw new HoldfastError(
        'ERR_TERMINAL_LIMIT',
        `there are ${String(this.count)} terminals already`,
      );
    }
    const owned = this.#countOf(subject);
    if (owned < this.#options.maxTerminalsPerSubject) return;
    throw new HoldfastError(
      'ERR_TERMINAL_QUOTA',
      `${JSON.stringify(subject)} has ${String(owned)} terminals already`,
    );
  }

  #countOf(subject: string): number {
    let count = 0;
    for (const { owner } of this.#entries.values()) if (owner === subject) count += 1;
    for (const owner of this.#sessions.values()) if (owner === subject) count += 1;
    return count;
  }

  #entry(id: TerminalId): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw terminalNotFound(id);
    return entry;
  }

  async #describe({ handle, owner, idleMs, lastActiveAt }: Entry): Promise<TerminalInfo> {
    const now = this.#options.clock.now();
    const { command, cwd } = await readForeground(handle.pid);
    return {
      id: handle.id,
      state: handle.state === 'closed' ? 'exited' : handle.state,
      rows: handle.size.rows,
      cols: handle.size.cols,
      viewers: handle.viewers,
      bytes: handle.bytes,
      idleMs: handle.viewers > 0 ? 0 : Math.round(now - lastActiveAt),
      createdAt: handle.createdAt.toISOString(),
      title: handle.title,
      epoch: handle.epoch,
      owner,
      idleLimitMs: idleMs,
      recording: this.#options.recordingOf?.(handle.id),
      ...(command === undefined ? {} : { command }),
      ...(cwd === undefined ? {} : { cwd }),
    };
  }

  #nextViewer(): ViewerId {
    this.#lastViewer += 1;
    return this.#lastViewer as ViewerId;
  }
}

/** 0 is for ever, and so the longest of all. */
function longer(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : Math.max(a, b);
}
