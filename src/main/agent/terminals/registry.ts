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
  type ViewerId,
} from '../../../shared/common/index.js';
import {
  parseTerminalLabel,
  type Presence,
  type TerminalInfo,
} from '../../../shared/common/wire/index.js';
import type {
  FaultKind,
  PortHandle,
  RecordSpec,
  ViewerSpec,
} from '../../../shared/node/ports/index.js';
import type {
  CreateRequest,
  CreateResult,
  WaitResult,
} from '../../../shared/common/peer-auth/index.js';
import type { IncomingChannel } from '../peers/types.js';
import type { TaskPool } from '../worker-pool/index.js';
import { createPool } from './create-pool.js';
import { TerminalSession } from './pty-session.js';
import type { Entry, Start } from './entry.js';
import { ExitedTerminals } from './exited-terminals.js';
import { TerminalHandle } from './terminal-handle.js';
import type { TerminalsOptions } from './options.js';
import { commandLine } from './foreground.js';
import { endOfCommand, endOfTerminal, waitForCommand } from './command-waits.js';
import { CLOSE_PATIENCE_MS, longer, patienceFor } from './lifetimes.js';
import { refuse, requireRoom, requireViewerRoom, terminalNotFound } from './refuse.js';
import type { TerminalProtocol } from './refuse.js';
import { describeTerminals } from './terminal-list.js';
import type { PtyCommand, PtySession, TerminalFacts, Terminals } from './types.js';
import { Waiters } from './waiters.js';

/** The same for those who look at an exited terminal that is forgotten. */
const FORGET_PATIENCE_MS = 30_000;

/**
 * The agent's terminals: routes channels to them by id, starts what is new, and ends what nobody has looked
 * at for long. Of the bytes it sees none.
 */
export class TerminalRegistry implements Terminals {
  readonly #options: TerminalsOptions;
  readonly #pool: TaskPool;
  /**
   * The PTYs of SSH, which nobody else watches, have a thread of their own: one that serves floods is behind the other
   * programs of a busy machine by its whole share, and each key would be as well.
   */
  readonly #sessionPool: TaskPool;
  readonly #growthBudget = new SharedArrayBuffer(4);
  readonly #entries = new Map<TerminalId, Entry>();
  readonly #exited: ExitedTerminals;
  /** Exited and still being shown to their viewers; the ids are free again. */
  readonly #leaving = new Set<TerminalHandle>();
  /** With the subjects they belong to. */
  readonly #sessions = new Map<TerminalSession, string>();
  #lastViewer = 0;
  #lastSession = 0;
  #closing = false;

  constructor(options: TerminalsOptions) {
    this.#options = options;
    this.#exited = new ExitedTerminals({
      keepMs: options.exitedKeepMs,
      ringBytes: options.ringBytes,
      clock: options.clock,
      onForgotten: (handle) => {
        this.#leave(handle);
        void handle.forget(FORGET_PATIENCE_MS);
      },
    });
    new Int32Array(this.#growthBudget)[0] = limits.RING_GROWTH_BUDGET_BYTES;
    this.#pool = options.pool ?? createPool('terminal', options.workers, options);
    this.#sessionPool = options.pool ?? createPool('session', 1, options);
  }

  /** Starts the worker threads. */
  start(): void {
    this.#pool.start();
    this.#sessionPool.start();
  }

  /** Workers died too often lately; nothing new is started. */
  get degraded(): boolean {
    return this.#pool.degraded || this.#sessionPool.degraded;
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
      refuse(channel.handle, protocol, record);
    });
  }

  async openSession(command: PtyCommand, subject = ''): Promise<PtySession> {
    this.#requireRoom(subject, this.#sessionPool);
    this.#lastSession += 1;
    const session = new TerminalSession({
      ...this.#handleOptions(),
      pool: this.#sessionPool,
      id: `ssh-${String(this.#lastSession)}` as TerminalId,
      nextViewer: () => this.#nextViewer(),
    });
    // From now on, so that it counts while it starts, and is ended if all is.
    this.#sessions.set(session, subject);
    try {
      await session.start(command);
    } catch (error) {
      this.#sessions.delete(session);
      throw error;
    }
    void session.exited.then(() => this.#sessions.delete(session));
    return session;
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
    await this.#started(entry, {
      size: request,
      launch: request,
      creator: existing === undefined,
      attaches: false,
    });
    // Nobody is attached yet, and perhaps nobody will be.
    if (existing === undefined) this.#viewersChanged(entry, entry.handle.viewers);
    return { created: existing === undefined, epoch: entry.handle.epoch };
  }

  async list(): Promise<TerminalInfo[]> {
    const now = this.#options.clock.now();
    const running = [...this.#entries.values()].map((entry) => ({
      ...entry,
      idleMs: now - entry.lastActiveAt,
      idleLimitMs: entry.idleMs,
    }));
    const exited = this.#exited.values().filter(({ handle }) => !this.#entries.has(handle.id));
    return await describeTerminals(running, exited, this.#options.recordingOf);
  }

  async kill(id: TerminalId, signal?: string): Promise<void> {
    if (signal === undefined && !this.#entries.has(id) && this.#exited.get(id) !== undefined) {
      this.#exited.forget(id);
      return;
    }
    const { handle } = this.#entry(id);
    if (signal === undefined) {
      await handle.end(this.#patienceFor(handle), { all: true });
      return;
    }
    if (!(signal in constants.signals)) {
      throw new HoldfastError('ERR_INVALID_ARGUMENT', `there is no signal ${signal} here`);
    }
    handle.signalAll(signal as NodeJS.Signals);
  }

  signal(id: TerminalId, signal: NodeJS.Signals): void {
    this.#entries.get(id)?.handle.signal(signal);
  }

  sendBreak(id: TerminalId): boolean {
    return this.#entries.get(id)?.handle.sendBreak() ?? false;
  }

  async viewers(id: TerminalId, full: boolean): Promise<Presence> {
    const { handle } = this.#entries.get(id) ?? this.#exited.get(id) ?? this.#entry(id);
    return await handle.describeViewers(full);
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
    const exited = this.#entries.has(id) ? undefined : this.#exited.get(id);
    if (exited !== undefined) return endOfTerminal(exited);
    return await waitForCommand(this.#entry(id), timeoutMs, gone);
  }

  facts(id: TerminalId): TerminalFacts {
    const { epoch, shell, termType, size, bytes } = this.#running(id);
    return { epoch, title: shell.title, termType, size, bytes };
  }

  feed(id: TerminalId, port: MessagePort, spec: RecordSpec): boolean {
    return this.#running(id).feed(port, spec);
  }

  /** Kills the worker that serves `id`, for tests; does nothing unless the door was opened at start. */
  injectFault(id: TerminalId, kind: FaultKind): void {
    (this.#exited.get(id) ?? this.#entry(id)).handle.fault(kind);
  }

  readonly close = once(async () => {
    this.#closing = true;
    for (const { idleTimer } of this.#entries.values()) idleTimer?.cancel();
    this.#exited.forgetAll();
    const handles = [...this.#leaving, ...[...this.#entries.values()].map(({ handle }) => handle)];
    await Promise.all([
      ...handles.map(async (handle) => {
        await handle.end(CLOSE_PATIENCE_MS, { all: true });
        await handle.forget(CLOSE_PATIENCE_MS);
      }),
      ...[...this.#sessions.keys()].map((session) => session.endAll()),
    ]);
    await Promise.all([this.#pool.close(), this.#sessionPool.close()]);
  });

  async #route(channel: IncomingChannel, protocol: TerminalProtocol): Promise<void> {
    const { id, rows, cols } = parseTerminalLabel(channel.label, protocol);
    const { permissions } = channel.peer;
    permissions.requireSight(id);
    const spec: ViewerSpec = {
      viewer: this.#nextViewer(),
      protocol,
      subject: channel.peer.subject,
      mayType: permissions.terminalAccess(id) === 'type',
      isOwner: permissions.isOwner(),
      created: false,
      size: { rows, cols },
    };
    await this.#admit(id, spec, channel.handle);
  }

  /** Sends a viewer to the terminal that it wants, and starts that if it is not there. */
  async #admit(id: TerminalId, spec: ViewerSpec, handle: PortHandle): Promise<void> {
    const existing = this.#entries.get(id);
    if (existing === undefined && this.#showExited(id, spec, handle)) return;
    // Whoever may only watch cannot start what there is to be watched.
    if (existing === undefined && !spec.mayType) throw terminalNotFound(id);
    const idleMs = this.#idleMs(spec.protocol);
    const entry = existing ?? this.#reserve(id, { owner: spec.subject, idleMs, idleChosen: false });
    if (!entry.idleChosen) entry.idleMs = longer(entry.idleMs, idleMs);
    const creator = existing === undefined;
    await this.#started(entry, { size: spec.size, launch: {}, creator, attaches: true });
    // It may have ended while we waited; then the channel closes and its viewer comes back.
    requireViewerRoom(entry.handle);
    entry.handle.attach({ ...spec, created: creator }, handle);
  }

  /**
   * Shows an exited terminal to whoever may want to see its end: its worker hears from the viewer whether it
   * does. An original client always wants a new shell, and so does one that was returned.
   */
  #showExited(id: TerminalId, spec: ViewerSpec, handle: PortHandle): boolean {
    const exited = this.#exited.get(id)?.handle;
    if (exited === undefined || spec.protocol !== 'terminal' || spec.first !== undefined) {
      return false;
    }
    requireViewerRoom(exited);
    exited.attach(spec, handle);
    return true;
  }

  #returned(id: TerminalId, spec: ViewerSpec, handle: PortHandle): void {
    this.#admit(id, spec, handle).catch((error: unknown) => {
      const record = toErrorRecord(error);
      this.#options.logger.warn('viewer refused', { terminal: id, ...record });
      refuse(handle, 'terminal', record);
    });
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
      onExited: () => this.#retire(entry),
      onCommandEnd: (end) => {
        entry.waiters.tell(endOfCommand(end));
      },
      onReturned: (spec, port) => {
        this.#returned(id, spec, port);
      },
      onMoved: () => {
        this.#options.onMoved?.(id);
      },
    });
    const entry: Entry = {
      handle,
      waiting: [],
      failure: undefined,
      program: undefined,
      ...options,
      waiters: new Waiters(this.#options.clock),
      idleTimer: undefined,
      lastActiveAt: this.#options.clock.now(),
    };
    this.#entries.set(id, entry);
    return entry;
  }

  /** The creator starts it; the others wait for it, and fail with it. */
  async #started(entry: Entry, { size, launch, creator, attaches }: Start): Promise<void> {
    const { id } = entry.handle;
    if (!creator) {
      if (entry.waiting === undefined) return;
      await new Promise<void>((resolve) => entry.waiting?.push(resolve));
      if (entry.failure !== undefined) throw entry.failure.cause;
      return;
    }
    try {
      const command = await this.#options.prepareShell(id, launch);
      entry.program = launch.command && commandLine(launch.command);
      this.#requireOpen();
      const { rows, cols } = size;
      await entry.handle.start({ ...command, size: { rows, cols } }, { awaitsViewer: attaches });
    } catch (error) {
      this.#entries.delete(id);
      entry.failure = { cause: error };
      throw error;
    } finally {
      const waiting = entry.waiting ?? [];
      entry.waiting = undefined;
      for (const resume of waiting) resume();
    }
    this.#exited.forget(id);
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
      void entry.handle.end(this.#patienceFor(entry.handle), { all: false });
    });
  }

  /** The log of `entry` is complete, or lost. True: it is kept. */
  #retire(entry: Entry): boolean {
    const { handle, owner, program } = entry;
    entry.idleTimer?.cancel();
    if (this.#entries.get(handle.id) !== entry) {
      this.#exited.lost(handle);
      return false;
    }
    this.#entries.delete(handle.id);
    entry.waiters.tell(endOfTerminal(entry));
    this.#options.onEnded?.(handle.id, handle.bytes);
    this.#options.logger.info('terminal ended', { terminal: handle.id, bytes: handle.bytes });
    const keep = handle.state === 'exited' && !this.#closing;
    if (keep && this.#exited.add({ handle, owner, program })) return true;
    this.#leave(handle);
    return false;
  }

  #patienceFor(handle: TerminalHandle): number {
    return patienceFor(handle, this.#options.exitedKeepMs > 0);
  }

  /** Its viewers may take the rest. */
  #leave(handle: TerminalHandle): void {
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

  #idleMs(protocol: ViewerSpec['protocol']): number {
    const { idleMs } = this.#options;
    return protocol === 'reconnecting-pty' ? idleMs.reconnectingPty : idleMs.terminal;
  }

  #running(id: TerminalId): TerminalHandle {
    const { handle } = this.#entry(id);
    if (handle.state !== 'running') throw terminalNotFound(id);
    return handle;
  }

  #requireOpen(): void {
    if (this.#closing) throw new HoldfastError('ERR_CLOSED', 'the agent is closing');
  }

  #requireRoom(subject: string, pool = this.#pool): void {
    this.#requireOpen();
    pool.requireHealthy();
    requireRoom(this.#options, { subject, all: this.count, own: this.#countOf(subject) });
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

  #nextViewer(): ViewerId {
    this.#lastViewer += 1;
    return this.#lastViewer as ViewerId;
  }
}
