import type { MessagePort } from 'node:worker_threads';
import {
  assertNever,
  createLogger,
  deferred,
  systemClock,
  toErrorRecord,
  type Clock,
  type ErrorRecord,
  type Logger,
} from '../../shared/common/index.js';
import type { ExitStatus, TerminalSize } from '../../shared/common/wire/index.js';
import {
  injectFault,
  ReadSlab,
  TerminalStatus,
  type TerminalCommand,
  type TerminalEvent,
  type TerminalTask,
  workerSetup,
} from '../../shared/node/ports/index.js';
import { Answering } from './answers/index.js';
import { createViewer } from './create-viewer.js';
import { guardedClock, type Guard } from './guard.js';
import { openLog } from './open-log.js';
import type { OutputLog } from './output-log.js';
import { PtyReader } from './pty-reader.js';
import { isInterrupt, PtyWriter } from './pty-writer.js';
import { RecorderSlot } from './recorder-slot.js';
import { findReplayStart } from './replay-start.js';
import { Sharing } from './sharing.js';
import { EventLog, ShellWatch } from './shell/index.js';
import { tryResize } from './try-resize.js';
import { ViewerDoor } from './viewer-door.js';
import { ViewerSet } from './viewer-set.js';
import { TerminalScreen } from './screen/index.js';
import type { AttachPoint, Viewer, ViewerHost } from './viewer.js';
import type { SequenceScanner } from '../../shared/node/vt/index.js';

const NOTHING = new Uint8Array();

/**
 * One terminal: composes the reader, the log, the viewers and the writer, and carries out what main
 * says. It moves through `reading`, `exited` (the log is complete) and `closed`, and only forward.
 */
export class Terminal implements ViewerHost {
  readonly sharing: Sharing;
  readonly #task: TerminalTask;
  readonly #port: MessagePort;
  readonly #clock: Clock;
  readonly #guard: Guard;
  readonly #logger: Logger;
  readonly #status: TerminalStatus;
  readonly #slab: ReadSlab;
  readonly #scanner: SequenceScanner;
  readonly #screen: TerminalScreen;
  readonly #log: OutputLog;
  readonly #viewers: ViewerSet;

  readonly #reader: PtyReader;
  readonly #writer: PtyWriter;
  readonly #recorder: RecorderSlot;
  readonly #answering: Answering;
  readonly #shell: ShellWatch;
  readonly #door: ViewerDoor;
  readonly #closed = deferred<void>();
  #state: 'reading' | 'exited' | 'closed' = 'reading';
  #processExit: ExitStatus | undefined;

  constructor(task: TerminalTask) {
    this.#task = task;
    this.#port = task.port;
    this.#guard = (callback) => {
      this.#run(callback);
    };
    this.#clock = guardedClock(systemClock, this.#guard);
    this.#logger = createLogger((record) => {
      this.#post({ type: 'log', record });
    });
    this.#status = new TerminalStatus(task.status);
    this.#slab = new ReadSlab(task.slab, this.#status);
    const { log, scanner } = openLog({
      task,
      status: this.#status,
      post: (event) => {
        this.#post(event);
      },
      evicting: (end) => {
        this.#screen.evicting(end);
      },
    });
    this.#log = log;
    this.#scanner = scanner;
    this.#screen = new TerminalScreen({
      ...task,
      log: this.#log,
      status: this.#status,
      clock: this.#clock,
      keep: (slot, shared) => {
        this.#post({ type: 'checkpoint', slot, shared });
      },
      replayStart: (from) => findReplayStart(this.#log, this.#scanner.pack(), from),
    });
    const events = new EventLog();
    const parts = { log: this.#log, clock: this.#clock, screen: this.#screen };
    this.#viewers = new ViewerSet(task.pace, {
      ...parts,
      events,
      awaitsFirst: task.awaitsViewer,
      pauseReading: () => {
        this.#reader.pause();
      },
      resumeReading: () => {
        this.#reader.resume();
      },
      moved: () => {
        this.sharing.presence.figuresChanged();
      },
    });
    this.#shell = new ShellWatch({
      clock: this.#clock,
      events,
      known: task.shell,
      head: () => this.#log.head,
      added: () => {
        this.#viewers.changed();
      },
      post: (news) => {
        this.#post(news);
      },
    });
    this.sharing = new Sharing({
      size: task.size,
      sizePolicy: task.sizePolicy,
      viewers: this.#viewers,
      clock: this.#clock,
      logger: this.#logger,
      head: () => this.#log.head,
      resized: (size) => {
        this.#resized(size);
      },
      configured: (settings) => {
        this.#post({ type: 'configured', ...settings });
      },
      driverChanged: () => {
        this.#answering.changed();
      },
    });
    this.#recorder = new RecorderSlot({
      ...parts,
      guard: this.#guard,
      fd: task.ioFd,
      viewers: this.#viewers,
    });
    this.#door = new ViewerDoor({
      clock: this.#clock,
      guard: this.#guard,
      viewers: this.#viewers,
      create: (spec, channel) =>
        createViewer(spec, channel, {
          host: this,
          log: this.#log,
          status: this.#status,
          facts: () => ({
            epoch: this.#task.epoch,
            status: this.#status,
            pace: this.#viewers.pace,
            sizePolicy: this.sharing.sizes.policy,
          }),
        }),
      head: () => this.#log.head,
      post: (event, transfer) => this.#post(event, transfer),
      done: () => this.#close({ type: 'finished' }),
    });
    this.#writer = new PtyWriter(task.ioFd, this.#clock);
    this.#answering = new Answering({
      clock: this.#clock,
      log: this.#log,
      viewers: this.#viewers,
      takesInputOf: (viewer) => this.sharing.control.takesInputOf(viewer),
      size: () => this.sharing.sizes.size,
      ask: (offset, query) => this.#screen.ask(offset, query),
      type: (bytes, done) => {
        this.#writer.write(bytes, done);
      },
    });
    this.#reader = new PtyReader({
      readFd: task.readFd ?? -1,
      ioFd: task.ioFd,
      slavePath: task.slavePath,
      slab: this.#slab,
      clock: this.#clock,
      onData: (bytes) => {
        this.#run(() => {
          this.#append(bytes);
        });
      },
      onTaken: () => {
        // Where a defect ended the service, what is not in the log is for the next worker.
        if (this.#state !== 'closed') this.#slab.taken(this.#log.head);
      },
      onBatch: () => {
        this.#run(() => {
          this.#offer();
        });
      },
      onEnd: () => {
        this.#run(() => {
          this.#exited();
        });
      },
    });
  }

  /**
   * Stops reading at once, since the thread is about to end. Its loop still turns then, without running any
   * JavaScript, and each read overwrites what the one before left in the slab.
   */
  freeze(): void {
    this.#reader.freeze();
  }

  /** Serves the terminal; resolves when it has ended here, for whatever reason. */
  async serve(): Promise<void> {
    this.#port.on('message', (command: TerminalCommand) => {
      this.#run(() => {
        this.#obey(command);
      });
    });
    // Main ended or gave the terminal to somebody else.
    this.#port.on('close', () => {
      this.#run(() => {
        this.#close({ type: 'finished' });
      });
    });
    const leftBehind = this.#slab.leftBehind(this.#log.head);
    if (leftBehind.length > 0) this.#append(leftBehind);
    this.#post({ type: 'adopted' });
    if (this.#task.readFd === undefined) {
      this.#processExit = this.#task.exit;
      this.#exited();
    } else {
      this.#reader.start();
      if (this.#task.exit !== undefined) this.#processEnded(this.#task.exit);
    }
    await this.#closed.promise;
  }

  now(): number {
    return this.#clock.now();
  }
  get head(): number {
    return this.#log.head;
  }
  get oldest(): number {
    return this.#log.oldest;
  }
  get replayStart(): number {
    return findReplayStart(this.#log, this.#scanner.pack());
  }

  join(viewer: Viewer, from: number | undefined): AttachPoint {
    const point = this.#viewers.attachPoint(from);
    this.#viewers.add(viewer);
    this.sharing.presence.joined(viewer);
    this.#recorder.tell(viewer);
    this.#shell.joined(viewer);
    return point;
  }

  cameAgain(client: string): number {
    for (const other of [...this.#viewers]) {
      if (other.client !== client) continue;
      other.end();
      // The end of its channel may be long in coming.
      this.#leaves(other);
    }
    return this.#writer.takeBack(client);
  }

  arrived(): void {
    this.#answering.changed();
  }

  type(viewer: Viewer, bytes: Uint8Array, done: () => void): void {
    // Nobody reads it any more, and the descriptor is not ours.
    if (this.#state !== 'reading') return;
    if (!this.sharing.control.takesInputOf(viewer)) {
      this.sharing.control.refuseInput(viewer, bytes.length);
      // In its turn, so that what this viewer typed before is not recorded as less than this.
      this.#writer.write(NOTHING, done, viewer.client);
      return;
    }
    this.#reader.inputArrived();
    this.#answering.typed(viewer);
    this.#recorder.typed(bytes);
    this.#writer.write(bytes, done, viewer.client);
    if (isInterrupt(bytes)) this.#viewers.interrupted(viewer);
  }

  answering(viewer: Viewer, offset: number): { readonly answers: boolean; readonly until: number } {
    return this.#answering.at(offset, viewer);
  }

  progressed(viewer: Viewer): void {
    this.#viewers.progressed(viewer);
    this.sharing.presence.progressed(viewer);
    this.#door.check();
  }

  left(viewer: Viewer): void {
    this.#leaves(viewer);
    this.#door.left(viewer.id);
  }

  refused(viewer: Viewer, error: ErrorRecord): void {
    this.#logger.warn('viewer refused', { viewer: viewer.id, ...error });
  }

  #leaves(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    this.sharing.left(viewer);
    this.#answering.left(viewer);
  }

  #obey(command: TerminalCommand): void {
    switch (command.type) {
      case 'attach':
        this.#door.attach(command.spec, command.handle);
        return;
      case 'resize':
        if (this.#state === 'reading') this.sharing.sizes.set(command.size);
        return;
      case 'processExited':
        this.#processEnded(command.exit);
        return;
      case 'ask':
        this.#post({
          type: 'answered',
          request: command.request,
          answer: this.sharing.control.answer(command.question),
        });
        return;
      case 'release':
        this.#door.release(command.keep);
        return;
      case 'abandon':
        this.#door.abandon(command.error);
        this.#close({ type: 'finished' });
        return;
      case 'record':
        this.#recorder.begin(command.feed, command.spec);
        return;
      case 'fault':
        if (workerSetup()?.faults === true) injectFault(command.kind);
        return;
      default:
        assertNever(command);
    }
  }

  #append(bytes: Uint8Array): void {
    this.#screen.appending(bytes);
    this.#log.append(bytes);
    this.#status.head = this.#log.head;
    this.#answering.appended(bytes);
    if (this.#task.replays) this.#shell.appended(bytes);
    this.#recorder.outputAdded(bytes.length);
  }

  /** To those who look at it. */
  #offer(): void {
    this.#viewers.outputAdded();
    this.#shell.tell();
  }

  #resized(size: TerminalSize): void {
    tryResize(this.#task.ioFd, size, this.#logger);
    this.#screen.resized(size);
    this.#viewers.changed();
    this.#recorder.sizeChanged();
    this.#post({ type: 'resized', size });
  }

  #processEnded(exit: ExitStatus): void {
    this.#processExit = exit;
    this.#reader.processExited();
  }

  /** The log is complete: each viewer gets the rest of it at its own pace, then the exit. */
  #exited(): void {
    if (this.#state !== 'reading') return;
    this.#state = 'exited';
    this.#reader.close();
    this.sharing.end();
    this.#writer.close();
    this.#shell.end();
    this.#viewers.outputAdded();
    const exit = this.#processExit ?? { kind: 'unknown' };
    this.#recorder.exited(exit);
    this.#post({ type: 'exited', exit, totalBytes: this.#log.head });
    this.#door.exited(exit);
  }

  /** A defect in this terminal ends only its service here; main hands it to another worker. */
  #run(callback: () => void): void {
    if (this.#state === 'closed') return;
    // One callback may lead to another of the same terminal.
    const wasBusy = this.#status.isBusy;
    this.#status.isBusy = true;
    try {
      callback();
    } catch (error) {
      this.#close({ type: 'failed', error: toErrorRecord(error) });
    }
    this.#status.isBusy = wasBusy;
  }

  #close(last: TerminalEvent): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#door.close();
    this.sharing.close();
    this.#answering.close();
    this.#shell.close();
    this.#viewers.close();
    this.#recorder.close();
    this.#screen.close();
    this.#reader.close();
    this.#writer.close();
    if (last.type === 'finished') this.#log.close();
    this.#port.postMessage(last);
    this.#port.close();
    this.#closed.resolve();
  }

  #post(event: TerminalEvent, transfer: readonly MessagePort[] = []): void {
    if (this.#state !== 'closed') this.#port.postMessage(event, [...transfer]);
  }
}
