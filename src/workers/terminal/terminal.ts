import type { MessagePort } from 'node:worker_threads';
import {
  assertNever,
  createLogger,
  deferred,
  limits,
  systemClock,
  toErrorRecord,
  wrapError,
  type Clock,
  type ErrorRecord,
  type Logger,
  type Timer,
  type ViewerId,
} from '../../shared/common/index.js';
import type { ExitStatus, TerminalSize } from '../../shared/common/wire/index.js';
import {
  injectFault,
  PortChannel,
  ReadSlab,
  TerminalStatus,
  type PortHandle,
  type TerminalCommand,
  type TerminalEvent,
  type TerminalTask,
  type ViewerSpec,
} from '../../shared/node/ports/index.js';
import { resizePty } from '../../shared/node/pty/index.js';
import { Answering } from './answers/index.js';
import { createViewer, expectAttach } from './create-viewer.js';
import { guardedChannel, guardedClock, type Guard } from './guard.js';
import { GrowthBudget, OutputLog } from './output-log.js';
import { PtyReader } from './pty-reader.js';
import { isInterrupt, PtyWriter } from './pty-writer.js';
import { RecorderSlot } from './recorder-slot.js';
import { findReplayStart } from './replay-start.js';
import { Sharing } from './sharing.js';
import { ViewerSet } from './viewer-set.js';
import { TerminalScreen } from './screen/index.js';
import type { AttachPoint, Viewer, ViewerHost } from './viewer.js';
import { SequenceScanner } from '../../shared/node/vt/index.js';
import { workerSetup } from './worker-setup.js';

/** How long a viewer that takes nothing may hold an ended terminal in memory. SSH sessions may for ever. */
const LINGER_MS = 30_000;

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
  readonly #channels = new Map<ViewerId, Viewer>();
  readonly #ports = new Map<ViewerId, MessagePort>();
  readonly #closed = deferred<void>();
  #state: 'reading' | 'exited' | 'closed' = 'reading';
  #processExit: ExitStatus | undefined;
  #released = false;
  #linger: Timer | undefined;

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
    this.#scanner = SequenceScanner.unpack(this.#status.fold);
    this.#log = new OutputLog({
      ringBytes: task.ringBytes,
      leadInBytes: task.replays ? limits.RING_LEAD_IN_BYTES : 0,
      budget: new GrowthBudget(task.growthBudget),
      recovered: task.blocks,
      head: this.#status.head,
      onBlock: (block) => {
        this.#post({ type: 'block', block });
      },
      onBlockFreed: (index) => {
        this.#post({ type: 'blockFreed', index });
      },
      onEvict: (bytes, end) => {
        this.#screen.evicting(end);
        this.#scanner.skip(bytes);
        this.#status.fold = this.#scanner.pack();
      },
    });
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
    this.#viewers = new ViewerSet(task.pace, {
      log: this.#log,
      clock: this.#clock,
      screen: this.#screen,
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
      log: this.#log,
      clock: this.#clock,
      guard: this.#guard,
      fd: task.ioFd,
      attachPoint: (from) => this.#viewers.attachPoint(from),
      size: () => this.sharing.sizes.size,
    });
    this.#writer = new PtyWriter(task.ioFd, this.#clock);
    this.#answering = new Answering({
      clock: this.#clock,
      log: this.#log,
      viewers: this.#viewers,
      takesInputOf: (viewer) => this.sharing.control.takesInputOf(viewer),
      screen: (offset) => ({
        size: this.sharing.sizes.size,
        ask: (query) => this.#screen.ask(offset, query),
      }),
      type: (bytes, done) => {
        this.#writer.write(bytes, done);
      },
    });
    this.#reader = new PtyReader({
      readFd: task.readFd,
      ioFd: task.ioFd,
      slavePath: task.slavePath,
      slab: this.#slab.bytes,
      clock: this.#clock,
      onData: (bytes) => {
        this.#run(() => {
          this.#output(bytes);
        });
      },
      onEnd: () => {
        this.#run(() => {
          this.#exited();
        });
      },
    });
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
    if (leftBehind.length > 0) this.#output(leftBehind);
    this.#slab.taken(this.#slab.bytes.length, this.#log.head);
    this.#reader.start();
    this.#post({ type: 'adopted' });
    if (this.#task.exit !== undefined) this.#processEnded(this.#task.exit);
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
    return point;
  }

  arrived(): void {
    this.#answering.changed();
  }

  type(viewer: Viewer, bytes: Uint8Array, done: () => void): void {
    if (!this.sharing.control.takesInputOf(viewer)) {
      this.sharing.control.refuseInput(viewer, bytes.length);
      // In its turn, so that what this viewer typed before is not recorded as less than this.
      this.#writer.write(NOTHING, done);
      return;
    }
    this.#viewers.inputArrived();
    this.#answering.typed(viewer);
    this.#recorder.typed(bytes);
    this.#writer.write(bytes, done);
    if (isInterrupt(bytes)) this.#viewers.interrupted(viewer);
  }

  answering(viewer: Viewer, offset: number): { readonly answers: boolean; readonly until: number } {
    return this.#answering.at(offset, viewer);
  }

  progressed(viewer: Viewer): void {
    this.#viewers.progressed(viewer);
    this.sharing.presence.progressed(viewer);
    this.#endViewers();
  }

  left(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    this.sharing.left(viewer);
    this.#answering.left(viewer);
    this.#ports.delete(viewer.id);
    if (!this.#channels.delete(viewer.id)) return;
    this.#post({ type: 'detached', viewer: viewer.id });
    this.#endViewers();
  }

  refused(viewer: Viewer, error: ErrorRecord): void {
    this.#logger.warn('viewer refused', { viewer: viewer.id, ...error });
  }

  #obey(command: TerminalCommand): void {
    switch (command.type) {
      case 'attach':
        this.#attach(command.spec, command.handle);
        return;
      case 'resize':
        this.sharing.sizes.set(command.size);
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
        this.#released = true;
        this.#endViewers();
        return;
      case 'abandon':
        for (const viewer of this.#channels.values()) viewer.end(command.error);
        this.#close({ type: 'finished' });
        return;
      case 'record':
        if (this.#state === 'reading') this.#recorder.begin(command.feed, command.spec);
        else command.feed.close();
        return;
      case 'fault':
        if (workerSetup()?.faults === true) injectFault(command.kind);
        return;
      default:
        assertNever(command);
    }
  }

  #attach(spec: ViewerSpec, handle: PortHandle): void {
    const viewer = createViewer(spec, guardedChannel(new PortChannel(handle), this.#guard), {
      host: this,
      log: this.#log,
      status: this.#status,
      facts: () => ({
        epoch: this.#task.epoch,
        status: this.#status,
        pace: this.#viewers.pace,
        sizePolicy: this.sharing.sizes.policy,
      }),
    });
    this.#channels.set(spec.viewer, viewer);
    this.#ports.set(spec.viewer, handle.port);
    this.#post({ type: 'attached', viewer: spec.viewer });
    viewer.start();
    if (!viewer.ready) expectAttach(viewer, this.#clock, () => this.#channels.has(viewer.id));
    this.#endViewers();
  }

  #output(bytes: Uint8Array): void {
    this.#log.append(bytes);
    this.#status.head = this.#log.head;
    // Before the slab that `bytes` may be a part of is wiped.
    this.#answering.appended(bytes);
    if (bytes.buffer === this.#slab.bytes.buffer) this.#slab.taken(bytes.length, this.#log.head);
    this.#recorder.outputAdded(bytes.length);
    this.#viewers.outputAdded();
  }

  #resized(size: TerminalSize): void {
    try {
      resizePty(this.#task.ioFd, size);
    } catch (error) {
      this.#logger.debug('resize failed', { error: wrapError(error, 'ERR_INTERNAL', 'resize') });
    }
    this.#screen.resized(size);
    this.#viewers.sizeChanged();
    this.#recorder.sizeChanged(size);
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
    this.#writer.close();
    this.#viewers.pump();
    this.#recorder.exited(this.#processExit ?? { kind: 'unknown' });
    this.#post({
      type: 'exited',
      exit: this.#processExit ?? { kind: 'unknown' },
      totalBytes: this.#log.head,
    });
    this.#linger = this.#clock.after(LINGER_MS, () => {
      this.#dropStuckViewers();
    });
    this.#endViewers();
  }

  /**
   * Viewers hear of the exit only after main has stopped routing to this terminal: whoever attaches to the
   * id once it knows of the end gets a new shell, never a last look at the old one.
   */
  #endViewers(): void {
    if (this.#state !== 'exited' || !this.#released) return;
    const exit = this.#processExit ?? { kind: 'unknown' };
    for (const viewer of this.#viewers) {
      if (!viewer.ready || viewer.cursor < this.#log.head) continue;
      viewer.sendExit(exit, this.#log.head);
      this.#viewers.delete(viewer);
    }
    // Ports still close on their own time; the terminal is done when main sends no more to it.
    if (this.#channels.size === 0) this.#close({ type: 'finished' });
  }

  #dropStuckViewers(): void {
    for (const viewer of this.#channels.values()) {
      if (viewer.alwaysCounts) continue;
      if (viewer.ready && this.now() - viewer.progressAt < LINGER_MS) continue;
      viewer.end({
        code: 'ERR_PEER_TIMEOUT',
        message: 'the terminal ended and nobody took its output',
      });
      this.#viewers.delete(viewer);
      this.#channels.delete(viewer.id);
    }
    this.#linger = this.#clock.after(LINGER_MS, () => {
      this.#dropStuckViewers();
    });
    this.#endViewers();
  }

  /** A defect in this terminal ends only its service here; main hands it to another worker. */
  #run(callback: () => void): void {
    if (this.#state === 'closed') return;
    try {
      callback();
    } catch (error) {
      this.#close({ type: 'failed', error: toErrorRecord(error) });
    }
  }

  #close(last: TerminalEvent): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#linger?.cancel();
    this.sharing.close();
    this.#answering.close();
    this.#viewers.close();
    this.#recorder.close();
    this.#screen.close();
    // A port that closes without a last word tells its viewer to attach anew.
    for (const port of this.#ports.values()) port.close();
    this.#reader.close();
    this.#writer.close();
    if (last.type === 'finished') this.#log.close();
    this.#port.postMessage(last);
    this.#port.close();
    this.#closed.resolve();
  }

  #post(event: TerminalEvent): void {
    if (this.#state !== 'closed') this.#port.postMessage(event);
  }
}
