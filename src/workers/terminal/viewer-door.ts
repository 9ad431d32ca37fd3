import type { MessagePort } from 'node:worker_threads';
import {
  limits,
  type ByteChannel,
  type Clock,
  type ErrorRecord,
  type Timer,
  type ViewerId,
} from '../../shared/common/index.js';
import type { ExitStatus } from '../../shared/common/wire/index.js';
import {
  PortChannel,
  type PortHandle,
  type TerminalEvent,
  type ViewerSpec,
} from '../../shared/node/ports/index.js';
import { withFirstFrame } from './first-frame.js';
import { guardedChannel, type Guard } from './guard.js';
import { LateComers } from './late-comers.js';
import type { ViewerSet } from './viewer-set.js';
import type { Viewer } from './viewer.js';

/** How long a viewer that takes nothing may hold an ended terminal in memory. SSH sessions may for ever. */
const LINGER_MS = 30_000;

export interface ViewerDoorOptions {
  readonly clock: Clock;
  readonly guard: Guard;
  readonly viewers: ViewerSet;
  /** A viewer that hears nothing until `start`. */
  create(spec: ViewerSpec, channel: ByteChannel): Viewer & { start(): void };
  head(): number;
  post(event: TerminalEvent, transfer?: readonly MessagePort[]): void;
  /** The log is complete, nobody is there and nobody will come. */
  done(): void;
}

/**
 * Where viewers of one terminal come in and leave: their channels from the first message to the last word,
 * and what happens to them when the log is complete.
 */
export class ViewerDoor {
  readonly #options: ViewerDoorOptions;
  readonly #viewers = new Map<ViewerId, Viewer>();
  readonly #ports = new Map<ViewerId, MessagePort>();
  readonly #lateComers: LateComers;
  /** Absent while the terminal runs. */
  #exit: ExitStatus | undefined;
  /** What main has said to the exit. Viewers are told of it only then. */
  #released: 'not' | 'kept' | 'wholly' = 'not';
  #linger: Timer | undefined;

  constructor(options: ViewerDoorOptions) {
    this.#options = options;
    this.#lateComers = new LateComers({
      clock: options.clock,
      serve: (spec, handle) => {
        options.guard(() => {
          this.#serve(spec, handle);
        });
      },
      giveBack: (spec, handle) => {
        this.#ports.delete(spec.viewer);
        options.post({ type: 'returned', spec, handle }, [handle.port]);
        this.check();
      },
      left: (viewer) => {
        this.#forget(viewer);
      },
    });
  }

  attach(spec: ViewerSpec, handle: PortHandle): void {
    this.#ports.set(spec.viewer, handle.port);
    const mayStart = spec.protocol === 'terminal' && spec.mayType && spec.first === undefined;
    if (this.#released === 'kept' && mayStart) this.#lateComers.ask(spec, handle);
    else this.#serve(spec, handle);
  }

  /** The channel of `viewer` has ended. */
  left(viewer: ViewerId): void {
    if (this.#viewers.delete(viewer)) this.#forget(viewer);
  }

  /** The log is complete: each viewer gets the rest of it at its own pace, then the exit. */
  exited(exit: ExitStatus): void {
    this.#exit = exit;
    this.#watchStuck();
    this.check();
  }

  /** Main knows of the exit. With `keep` those who come late are still served. */
  release(keep: boolean): void {
    this.#released = keep ? 'kept' : 'wholly';
    this.check();
  }

  /** Ends all with `error`; nobody gets the rest. */
  abandon(error: ErrorRecord): void {
    for (const viewer of this.#viewers.values()) viewer.end(error);
  }

  /**
   * Tells of the exit whoever has all before it. Viewers hear of it only after main knows: whoever attaches to
   * the id after that, to type and with no log in mind, gets a new shell, never a last look at the old one.
   */
  check(): void {
    if (this.#exit === undefined || this.#released === 'not') return;
    const { viewers, head } = this.#options;
    for (const viewer of viewers) {
      if (!viewer.ready || viewer.cursor < head()) continue;
      viewer.sendExit(this.#exit, head());
      viewers.delete(viewer);
    }
    // Ports still close on their own time; the terminal is done when main sends no more to it.
    if (this.#released === 'wholly' && this.#ports.size === 0) this.#options.done();
  }

  /** A port that closes without a last word tells its viewer to attach anew. */
  close(): void {
    this.#linger?.cancel();
    this.#lateComers.close();
    for (const port of this.#ports.values()) port.close();
  }

  #serve(spec: ViewerSpec, handle: PortHandle): void {
    const port = guardedChannel(new PortChannel(handle), this.#options.guard);
    const channel = spec.first === undefined ? port : withFirstFrame(port, spec.first);
    const viewer = this.#options.create(spec, channel);
    this.#viewers.set(spec.viewer, viewer);
    this.#options.post({ type: 'attached', viewer: spec.viewer });
    viewer.start();
    if (!viewer.ready) this.#expectAttach(viewer);
    if (this.#exit !== undefined) this.#watchStuck();
    this.check();
  }

  /** A channel on which nobody ever says `attach` must not stay. */
  #expectAttach(viewer: Viewer): void {
    this.#options.clock.after(limits.ATTACH_MS, () => {
      if (viewer.ready || !this.#viewers.has(viewer.id)) return;
      viewer.end({ code: 'ERR_PEER_TIMEOUT', message: 'no attach frame came' });
    });
  }

  #forget(viewer: ViewerId): void {
    this.#ports.delete(viewer);
    this.#options.post({ type: 'detached', viewer });
    this.check();
  }

  #watchStuck(): void {
    this.#linger ??= this.#options.clock.after(LINGER_MS, () => {
      this.#linger = undefined;
      this.#dropStuck();
    });
  }

  #dropStuck(): void {
    const now = this.#options.clock.now();
    for (const viewer of this.#viewers.values()) {
      if (viewer.alwaysCounts) continue;
      if (viewer.ready && now - viewer.progressAt < LINGER_MS) continue;
      viewer.end({
        code: 'ERR_PEER_TIMEOUT',
        message: 'the terminal ended and nobody took its output',
      });
      this.#options.viewers.delete(viewer);
      this.#viewers.delete(viewer.id);
      this.#ports.get(viewer.id)?.close();
      this.#forget(viewer.id);
    }
    if (this.#viewers.size > 0) this.#watchStuck();
  }
}
