import { closeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import {
  assertNever,
  deferred,
  limits,
  toErrorRecord,
  type Epoch,
  type ErrorRecord,
  type TerminalId,
  type Timer,
  type ViewerId,
} from '../../../shared/common/index.js';
import type {
  ExitStatus,
  Pace,
  Presence,
  SizePolicy,
  TerminalSize,
} from '../../../shared/common/wire/index.js';
import {
  ReadSlab,
  TERMINAL_PORT_VERSION,
  TerminalStatus,
  UNKNOWN_SHELL,
  type FaultKind,
  type PortHandle,
  type TerminalAnswer,
  type RecordSpec,
  type ShellState,
  type TerminalCommand,
  type TerminalEvent,
  type TerminalQuestion,
  type TerminalTask,
  type ViewerSpec,
} from '../../../shared/node/ports/index.js';
import { duplicateFd } from '../../../shared/node/system/index.js';
import type { TerminalHandleOptions } from './handle-options.js';
import { terminalNotFound } from './refuse.js';
import { TerminalProcess } from './terminal-process.js';
import { withinTime } from './within-time.js';
import { Questions, raise, workerLost } from './questions.js';
import { WaitingViewers } from './waiting-viewers.js';
import { WorkerLosses } from './worker-losses.js';
import type { PtyCommand } from './types.js';

/** A port whose other end is gone closes at once; this only bounds the wait for one that never left. */
const PORT_CLOSE_MS = 1_000;

/**
 * Main's side of one terminal. It keeps the master and the process, so that the death of the worker that
 * reads it costs a pause and not the shell: then a further worker gets a new duplicate, the same ring
 * blocks and the same counters, and goes on at the next byte.
 */
export class TerminalHandle {
  readonly id: TerminalId;
  readonly epoch = randomBytes(8).toString('hex') as Epoch;
  readonly createdAt = new Date();
  /** When all is over: process waited for, output read, viewers told, descriptors closed. */
  readonly closed: Promise<void>;
  /** The process's end. Never rejects. */
  readonly processExited: Promise<ExitStatus>;
  readonly #options: TerminalHandleOptions;
  readonly #status = new TerminalStatus();
  readonly #slab = ReadSlab.allocate();
  readonly #viewers = new Set<ViewerId>();
  readonly #closed = deferred<void>();
  /** Those who were there at the exit know of it, or all is over. */
  readonly #told = deferred<void>();
  readonly #process: TerminalProcess;
  #blocks: (SharedArrayBuffer | undefined)[] = [];
  readonly #checkpoints: (SharedArrayBuffer | undefined)[] = [undefined, undefined];
  /** Absent: no worker serves it now. */
  #port: MessagePort | undefined;
  /** They count among the viewers. */
  readonly #waiting = new WaitingViewers((viewer) => {
    this.#detached(viewer);
  });
  #size: TerminalSize = { rows: limits.DEFAULT_ROWS, cols: limits.DEFAULT_COLS };
  #firstSize = this.#size;
  #shell: ShellState = UNKNOWN_SHELL;
  #termType = '';
  #endedAt: Date | undefined;
  /** Exited, and its log can be looked at. */
  #kept = false;
  readonly #losses = new WorkerLosses();
  #state: 'starting' | 'running' | 'exited' | 'closed' = 'starting';
  /** It was cut off on purpose, so no worker shall go on with it. */
  #abandoned = false;
  #retry: Timer | undefined;
  #ending: Promise<void> | undefined;
  readonly #questions = new Questions();
  #pace: Pace;
  #sizePolicy: SizePolicy;

  constructor(options: TerminalHandleOptions) {
    this.id = options.id;
    this.#options = options;
    this.#pace = options.pace;
    this.#sizePolicy = options.sizePolicy;
    this.closed = this.#closed.promise;
    this.#process = new TerminalProcess(options.clock);
    this.processExited = this.#process.exited;
  }

  get state(): 'starting' | 'running' | 'exited' | 'closed' {
    return this.#state;
  }
  get size(): TerminalSize {
    return this.#size;
  }
  get viewers(): number {
    return this.#viewers.size;
  }
  /** Absent while the process runs. */
  get exit(): ExitStatus | undefined {
    return this.#process.exit;
  }
  /** When the log was complete. Absent: it is not. */
  get endedAt(): Date | undefined {
    return this.#endedAt;
  }
  /** What its programs have said of themselves. */
  get shell(): ShellState {
    return this.#shell;
  }
  /** Output so far, in bytes. */
  get bytes(): number {
    return this.#status.head;
  }
  /** Input of the SSH session that has reached the PTY, in bytes. */
  get rawInput(): number {
    return this.#status.rawInput;
  }
  get pid(): number {
    return this.#process.pty?.pid ?? 0;
  }
  /** `TERM` of what runs in it. */
  get termType(): string {
    return this.#termType;
  }

  /** Starts a program and hands its PTY to a worker. `awaitsViewer`: see {@link TerminalTask}. @throws {HoldfastError} ERR_SPAWN. */
  async start(
    command: PtyCommand,
    { awaitsViewer }: { readonly awaitsViewer: boolean },
  ): Promise<void> {
    await this.#process.start(command, (exit) => {
      this.#send({ type: 'processExited', exit });
    });
    this.#size = command.size;
    this.#termType = command.env['TERM'] ?? '';
    this.#firstSize = command.size;
    this.#state = 'running';
    this.#adopt(awaitsViewer);
  }

  /**
   * Transfers the port of a channel to the worker, or to the next one where this one has just died. After the exit the
   * viewer still gets what there is; once all is over its channel is closed, which tells it to come back.
   */
  attach(spec: ViewerSpec, handle: PortHandle): void {
    if (this.#state === 'closed') {
      handle.port.close();
      return;
    }
    this.#viewers.add(spec.viewer);
    this.#options.onViewers(this.#viewers.size);
    if (this.#port === undefined) this.#waiting.add(spec, handle);
    else this.#handOver(spec, handle);
  }

  resize(size: TerminalSize): void {
    this.#send({ type: 'resize', size });
  }

  /** Has the worker send all that happens over `port`. False: there is none now. */
  feed(port: MessagePort, spec: RecordSpec): boolean {
    if (this.#port === undefined) return false;
    this.#send({ type: 'record', feed: port, spec }, [port]);
    return true;
  }

  /**
   * Who is attached. Not `full`: as one who only watches may see it.
   * @throws {HoldfastError} ERR_WORKER_LOST, ERR_TERMINAL_NOT_FOUND once it has ended.
   */
  async describeViewers(full: boolean): Promise<Presence> {
    const answer = await this.#ask({ type: 'viewers', full });
    return answer.type === 'viewers' ? answer.presence : raise(answer);
  }

  /**
   * Ends a viewer for good; `by` is who wants it so.
   * @throws {HoldfastError} ERR_VIEWER_NOT_FOUND, and as {@link describeViewers}.
   */
  async dropViewer(viewer: ViewerId, by: string): Promise<void> {
    const answer = await this.#ask({ type: 'drop', viewer, by });
    if (answer.type !== 'done') raise(answer);
  }

  fault(kind: FaultKind): void {
    this.#send({ type: 'fault', kind });
  }

  /** To the foreground job. Does nothing once the shell has ended. */
  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  /** A break on its line. False: it does not run, or has no such thing. */
  sendBreak(): boolean {
    return this.#process.sendBreak();
  }

  /** To every process of its session, jobs in the background too. Does nothing once the shell has ended. */
  signalAll(signal: NodeJS.Signals): void {
    this.#process.signalAll(signal);
  }

  /**
   * Hangs up the processes, the shell harder in steps, and waits until the viewers have been told.
   * `patience` bounds that last wait, in ms; a viewer that takes nothing is then cut off. With `all`, what
   * ignores the hang-up is ended too; without it that lives on, as `nohup` promises.
   */
  async end(patience: number, { all }: { readonly all: boolean }): Promise<void> {
    // What is just being started can be ended as soon as it runs.
    await this.#process.settled();
    this.#ending ??= this.#end(patience);
    await Promise.all([this.#ending, all ? this.#process.sweep() : undefined]);
  }

  async #end(patience: number): Promise<void> {
    if (this.#process.pty === undefined) {
      this.#finish();
      return;
    }
    await this.#process.hangUp();
    const timer = this.#options.clock.after(patience, () => {
      if (this.#kept) this.#told.resolve();
      else this.#abandon();
    });
    await this.#told.promise;
    timer.cancel();
  }

  /** Lets go of a log that was kept. `patience` as of `end`, for those who look at it now. */
  async forget(patience: number): Promise<void> {
    this.#kept = false;
    if (this.#state === 'exited') this.#send({ type: 'release', keep: false });
    const timer = this.#options.clock.after(patience, () => {
      this.#abandon();
    });
    await this.closed;
    timer.cancel();
  }

  #abandon(): void {
    this.#abandoned = true;
    this.#send({
      type: 'abandon',
      error: { code: 'ERR_CLOSED', message: 'the terminal was ended' },
    });
  }

  /** Viewers of a worker that died come back, each by itself. */
  #adopt(awaitsViewer = this.#viewers.size > 0): void {
    const { pty } = this.#process;
    if (pty === undefined || this.#state === 'closed') return;
    const { port1, port2 } = new MessageChannel();
    // A complete log has no PTY any more.
    const isComplete = this.#state === 'exited';
    const readFd = isComplete ? undefined : duplicateFd(pty.masterFd);
    const ioFd = isComplete ? -1 : this.#process.openFd(pty);
    this.#status.generation += 1;
    this.#status.isBusy = false;
    this.#blocks = this.#blocks.filter((block) => block !== undefined);
    this.#port = port1;
    let adopted = false;
    port1.on('message', (event: TerminalEvent) => {
      if (event.type === 'adopted') adopted = true;
      this.#receive(event);
    });
    const task: TerminalTask = {
      version: TERMINAL_PORT_VERSION,
      generation: this.#status.generation,
      port: port2,
      id: this.id,
      epoch: this.epoch,
      readFd,
      ioFd,
      slavePath: pty.slavePath,
      size: this.#size,
      pace: this.#pace,
      sizePolicy: this.#sizePolicy,
      firstSize: this.#firstSize,
      ringBytes: this.#options.ringBytes,
      replays: this.#options.replays,
      checkpoints: this.#checkpoints,
      status: this.#status.shared,
      slab: this.#slab,
      blocks: this.#blocks as SharedArrayBuffer[],
      growthBudget: this.#options.growthBudget,
      awaitsViewer,
      exit: this.#process.exit,
      shell: this.#shell,
    };
    const portClosed = once(port1, 'close').then(() => {
      // Ahead of the pool, which hears of a death when the thread is gone: what is sent until then would be lost.
      if (this.#port === port1) this.#port = undefined;
    });
    void this.#options.pool
      .run(task, [port2])
      .then(() => undefined, toErrorRecord)
      .then(async (error) => {
        // The result overtakes messages on the port, ring blocks among them; its close comes last.
        await withinTime(portClosed, PORT_CLOSE_MS, this.#options.clock);
        port1.close();
        // The task is over, so nobody can use this number any more. The stream closed the other one;
        // if no stream was ever made by a thread that then died, that number is lost.
        this.#process.closeFd(ioFd);
        if (!adopted && error === undefined && readFd !== undefined) closeSync(readFd);
        this.#settled(error);
      });
    for (const { spec, handle } of this.#waiting.take()) this.#handOver(spec, handle);
  }

  #handOver(spec: ViewerSpec, handle: PortHandle): void {
    this.#send({ type: 'attach', spec, handle }, [handle.port]);
  }

  #receive(event: TerminalEvent): void {
    switch (event.type) {
      case 'adopted':
      case 'attached':
      case 'finished':
        return;
      case 'block':
        this.#blocks.push(event.block);
        return;
      case 'blockFreed':
        this.#blocks[event.index] = undefined;
        return;
      case 'checkpoint':
        this.#checkpoints[event.slot] = event.shared;
        return;
      case 'detached':
        this.#detached(event.viewer);
        return;
      case 'returned':
        this.#detached(event.spec.viewer);
        this.#options.onReturned?.(event.spec, event.handle);
        return;
      case 'resized':
        this.#size = event.size;
        return;
      case 'shell':
        this.#shell = event.state;
        for (const end of event.ended) this.#options.onCommandEnd?.(end);
        return;
      case 'configured':
        this.#pace = event.pace;
        this.#sizePolicy = event.sizePolicy;
        return;
      case 'answered':
        this.#questions.answered(event.request, event.answer);
        return;
      case 'exited':
        this.#exited();
        return;
      case 'failed':
        this.#options.logger.error('terminal failed in its worker', { ...event.error });
        return;
      case 'log':
        this.#options.logger[event.record.level](event.record.message, event.record.fields);
        return;
      default:
        assertNever(event);
    }
  }

  #ask(question: TerminalQuestion): Promise<TerminalAnswer> {
    if (this.#state === 'closed') throw terminalNotFound(this.id);
    if (this.#port === undefined) throw workerLost();
    return this.#questions.ask((request) => {
      this.#send({ type: 'ask', request, question });
    });
  }

  #detached(viewer: ViewerId): void {
    this.#viewers.delete(viewer);
    this.#options.onViewers(this.#viewers.size);
    if (this.#kept && this.#viewers.size === 0) this.#told.resolve();
  }

  /** Also called when a further worker has taken over a complete log. */
  #exited(): void {
    if (this.#state !== 'exited') {
      this.#state = 'exited';
      this.#endedAt = new Date();
      this.#kept = this.#options.onExited();
    }
    this.#send({ type: 'release', keep: this.#kept });
    if (!this.#kept) return;
    // Background jobs that still have the other side open are told that nobody reads them any more.
    this.#process.closeFds();
    if (this.#viewers.size === 0) this.#told.resolve();
  }

  /** The worker has let go of the terminal: with an `error` it died, else all is told or it failed alone. */
  #settled(error: ErrorRecord | undefined): void {
    this.#port = undefined;
    this.#questions.giveUp();
    const over =
      this.#abandoned || (error === undefined && this.#state === 'exited' && !this.#kept);
    if (over || error?.code === 'ERR_CLOSED') {
      this.#finish();
      return;
    }
    this.#adoptAgain(error ?? { code: 'ERR_INTERNAL', message: 'a defect in the terminal worker' });
  }

  #adoptAgain(error: ErrorRecord): void {
    const { clock, logger } = this.#options;
    // The ports of the others died with the worker; they attach anew, or have left.
    this.#viewers.clear();
    for (const viewer of this.#waiting.viewers()) this.#viewers.add(viewer);
    this.#options.onViewers(this.#viewers.size);
    const isCause = error.code !== 'ERR_WORKER_LOST' || this.#status.isBusy;
    const isTooMany = this.#losses.add(isCause, clock.now());
    logger.warn('terminal lost its worker', { losses: this.#losses.count, isCause, ...error });
    if (isTooMany) {
      logger.error('terminal given up', { ...error });
      this.#giveUp();
      return;
    }
    try {
      this.#adopt();
      this.#options.onMoved?.();
    } catch (adoptError) {
      // Out of descriptors, most likely: the shell waits until there is one.
      logger.warn('terminal waits for a worker', { error: adoptError });
      this.#retry = clock.after(limits.ADOPT_MS, () => {
        if (this.#abandoned) this.#finish();
        else this.#adoptAgain(error);
      });
    }
  }

  #giveUp(): void {
    this.#abandoned = true;
    this.#kept = false;
    this.#options.onExited();
    this.#process.signalAll('SIGKILL');
    this.#finish();
  }

  #finish(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#kept = false;
    this.#retry?.cancel();
    this.#port?.close();
    this.#port = undefined;
    this.#waiting.close();
    this.#options.onExited();
    this.#process.closeFds();
    this.#blocks = [];
    this.#told.resolve();
    this.#closed.resolve();
  }

  #send(command: TerminalCommand, transfer: readonly MessagePort[] = []): void {
    this.#port?.postMessage(command, [...transfer]);
  }
}
