import { assertNever } from '../assert-never.js';
import { Backoff } from '../backoff.js';
import type { ByteChannel } from '../byte-channel.js';
import { systemClock, type Clock, type Timer } from '../clock.js';
import { deferred } from '../deferred.js';
import { HoldfastError, toErrorRecord, type ErrorRecord } from '../errors.js';
import { once, type Closable } from '../lifecycle.js';
import {
  CHANNEL_UNREAD_BYTES,
  DIAL_MAX_MS,
  DIAL_MIN_MS,
  PTY_INPUT_BYTES,
  TERMINAL_ACK_MS,
  TERMINAL_ATTACH_MS,
  TERMINAL_INPUT_FRAME_BYTES,
  TERMINAL_STABLE_MS,
  TERMINAL_WINDOW_BYTES,
} from '../limits.js';
import {
  decodeAgentFrame,
  encodeClientFrame,
  formatTerminalLabel,
  TERMINAL_PROTOCOL_VERSION,
  type AgentFrame,
  type ClientFrame,
  type TerminalSettings,
  type TerminalSize,
  type ViewerControl,
} from '../wire/index.js';
import { endError, newAttachment, type Attachment } from './attachment.js';
import { isFatal } from './fatal-codes.js';
import { InputLog } from './input-log.js';
import { OutputLog } from './output-log.js';
import { Sharing } from './sharing.js';
import type { TerminalClientOptions, TerminalClientState } from './types.js';

/**
 * One viewer of one terminal that survives its channels. It is attached, or on the way there, from
 * `start` until the program exits, an error makes trying pointless, or `close`.
 */
export class TerminalClient implements Closable {
  /** What goes on among the viewers of the terminal. */
  readonly sharing: Sharing;
  readonly #options: TerminalClientOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #window: number;
  readonly #output: OutputLog;
  readonly #input = new InputLog(PTY_INPUT_BYTES);
  #size: TerminalSize;
  #wantsType: boolean;
  #state: TerminalClientState = { type: 'connecting' };
  #attachment: Attachment | undefined;
  /** Counts attempts, so that a channel that opens late finds out that it is not wanted any more. */
  #attempt = 0;
  #retry: Timer | undefined;
  /** Channels that have not ended; given-up ones count until they have. */
  #open = 0;
  readonly #ended = deferred<undefined>();

  constructor(options: TerminalClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = options.backoff ?? new Backoff({ minMs: DIAL_MIN_MS, maxMs: DIAL_MAX_MS });
    this.#window = options.window ?? TERMINAL_WINDOW_BYTES;
    this.#output = new OutputLog(this.#window);
    this.sharing = new Sharing({ clock: this.#clock, handlers: options.handlers });
    this.sharing.noteSettings(options.settings ?? {});
    this.#size = options.size;
    this.#wantsType = options.wantsType;
  }

  get state(): TerminalClientState {
    return this.#state;
  }

  /** Bytes that {@link input} would take now. */
  get inputRoom(): number {
    return this.#input.room;
  }

  /** Begins to attach. Called once. */
  start(): void {
    this.#options.handlers.state(this.#state);
    this.#connect();
  }

  /**
   * Types `bytes` (copied). They reach the terminal exactly once, in order, over any number of lost
   * channels, or the `error` handler is told. False, and nothing is kept, if more is waiting than the
   * bound allows or this viewer may not type; the `error` handler is told as well.
   */
  input(bytes: Uint8Array): boolean {
    if (this.#isFinal()) return false;
    if (this.#state.type === 'attached' ? !this.#state.mayType : !this.#wantsType) {
      this.#report('ERR_READ_ONLY', 'this viewer may not type');
      return false;
    }
    const driver = this.sharing.otherDriver;
    if (driver !== undefined) {
      this.#report('ERR_NOT_DRIVER', `${driver} has the control; this was not typed`);
      return false;
    }
    if (!this.#input.push(bytes)) {
      this.#report('ERR_INPUT_OVERRUN', 'the terminal does not take its input; this was not typed');
      return false;
    }
    this.#pump();
    return true;
  }

  /** Asks for this size, now and after each re-attach. */
  resize(size: TerminalSize): void {
    this.#size = size;
    // Also of one that only watches, for others to see; the terminal does not take it.
    if (this.#attachment?.attached === true) this.#send({ type: 'resize', size });
  }

  /** Asks for these settings; does nothing while not attached or not allowed to type. */
  configure(settings: TerminalSettings): void {
    if (!this.#mayType()) return;
    this.sharing.noteSettings(settings);
    this.#send({ type: 'configure', settings });
  }

  /** The consumer is done with the oldest `bytes` bytes that `output` and `snapshot` gave it. */
  processed(bytes: number): void {
    this.#output.processed(bytes);
    this.#acknowledge();
  }

  /** Ends the wait of a back-off: a person, or a network that came back, does not want to wait. */
  retryNow(): void {
    if (this.#retry === undefined) return;
    this.#retry.cancel();
    this.#backoff.reset();
    this.#connect();
  }

  /** Detaches; the terminal goes on. Resolves when every channel that was opened has ended. */
  readonly close = once(async () => {
    this.#finish({ type: 'closed' });
    await this.#ended.promise;
  });

  #connect(): void {
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#retry = undefined;
    const label = formatTerminalLabel({ id: this.#options.id, ...this.#size });
    void (async () => {
      let channel: ByteChannel;
      try {
        channel = await this.#options.openChannel(label);
      } catch (error) {
        if (attempt === this.#attempt) this.#lost(toErrorRecord(error));
        return;
      }
      if (attempt !== this.#attempt) {
        channel.close();
        return;
      }
      this.#attach(channel);
    })();
  }

  #attach(channel: ByteChannel): void {
    const attachment = newAttachment(channel, this.#wantsType);
    this.#attachment = attachment;
    this.#open += 1;
    this.#after(attachment, TERMINAL_ATTACH_MS, () => {
      if (!attachment.attached) {
        this.#drop(attachment, { code: 'ERR_PEER_TIMEOUT', message: 'no answer to the attach' });
      }
    });
    channel.start({
      message: (bytes) => {
        // At once and not when processed: the window of the protocol already bounds what is on its
        // way, and frames that need no processing must not wait behind output.
        channel.consumed(bytes.length);
        if (this.#attachment === attachment) this.#receive(attachment, bytes);
      },
      credit: () => {
        if (this.#attachment === attachment) this.#pump();
      },
      end: (end) => {
        this.#open -= 1;
        if (this.#attachment === attachment) {
          this.#release(attachment);
          this.#lost(endError(end));
        }
        this.#settle();
      },
    });
    const position = this.#output.position;
    this.#send({
      type: 'attach',
      version: TERMINAL_PROTOCOL_VERSION,
      wantsType: attachment.wantsType,
      epoch: position?.epoch ?? this.#options.epoch,
      offset: position?.offset,
      size: this.#size,
      window: this.#output.attachWindow,
      clientId: this.#options.clientId,
      settings: position === undefined ? (this.#options.settings ?? {}) : {},
    });
  }

  #receive(attachment: Attachment, bytes: Uint8Array): void {
    try {
      this.#handle(attachment, decodeAgentFrame(bytes));
    } catch (error) {
      // Only what the frame itself got wrong; a handler that throws is a defect of its owner.
      if (!(error instanceof HoldfastError)) throw error;
      this.#finish({ type: 'failed', error: toErrorRecord(error) });
    }
  }

  #handle(attachment: Attachment, frame: AgentFrame): void {
    const { handlers } = this.#options;
    const first = frame.type === 'attached' || frame.type === 'error' || frame.type === 'exit';
    if (frame.type === 'attached' ? attachment.attached : !attachment.attached && !first) {
      throw new HoldfastError('ERR_PROTOCOL', `${frame.type} frame out of turn`);
    }
    switch (frame.type) {
      case 'attached':
        this.#attached(attachment, frame);
        return;
      case 'output': {
        const fresh = this.#output.output(frame.offset, frame.nextOffset, frame.bytes);
        if (this.#output.outstanding > this.#window + CHANNEL_UNREAD_BYTES) {
          throw new HoldfastError('ERR_PROTOCOL', 'output far beyond the window');
        }
        if (fresh === undefined) this.#acknowledge();
        else {
          const { replay, quiet } = frame;
          handlers.output(fresh.bytes, { offset: fresh.offset, replay, quiet });
        }
        return;
      }
      case 'inputAck':
        this.#input.ack(frame.seq, frame.window);
        this.#pump();
        handlers.inputRoom?.();
        return;
      case 'gap':
        this.#gap(frame.from, frame.to);
        return;
      case 'snapshot':
        this.#output.snapshot(frame.offset, frame.bytes.length);
        if (handlers.snapshot === undefined) {
          handlers.size?.(frame.size);
          handlers.output(frame.bytes, { offset: frame.offset, replay: true, quiet: true });
        } else {
          const { bytes: screen, offset, size, continues } = frame;
          handlers.snapshot(screen, { offset, size, continues });
        }
        return;
      case 'title':
        handlers.title?.(frame.title);
        return;
      case 'size':
        handlers.size?.(frame.size);
        return;
      case 'presence':
        this.sharing.receivePresence(frame.json);
        return;
      case 'event':
        this.sharing.receiveEvent(frame.json);
        return;
      case 'exit': {
        // Output that this viewer never got, for instance because it came back only after the exit.
        const position = this.#output.position;
        if (position !== undefined) this.#gap(position.offset, frame.totalBytes);
        handlers.exit?.(frame.exit, frame.totalBytes);
        this.#finish({ type: 'exited', exit: frame.exit });
        return;
      }
      case 'error':
        this.#refused(attachment, { code: frame.code, message: frame.message });
        return;
      default:
        assertNever(frame);
    }
  }

  #attached(attachment: Attachment, frame: Extract<AgentFrame, { type: 'attached' }>): void {
    const { handlers } = this.#options;
    if (frame.version !== TERMINAL_PROTOCOL_VERSION) {
      throw new HoldfastError(
        'ERR_PROTOCOL_VERSION',
        `the agent speaks version ${String(frame.version)} of the terminal protocol`,
      );
    }
    const window = this.#output.attachWindow;
    const again = this.#output.position !== undefined;
    const log = this.#output.attached(frame.epoch, frame.offset);
    attachment.attached = true;
    attachment.mayType = frame.mayType && attachment.wantsType;
    attachment.announced = frame.offset + window;
    const dropped = this.#input.resume(frame.inputSeq, frame.inputWindow, log);
    if (log === 'new') handlers.restarted?.();
    if (log === 'same') this.#gap(this.#output.position?.offset ?? 0, frame.offset);
    handlers.size?.(frame.size);
    this.#setState({ type: 'attached', mayType: attachment.mayType, created: frame.created });
    if (dropped > 0) {
      this.#report('ERR_WORKER_LOST', `${String(dropped)} bytes of input may not have arrived`);
    }
    if (!attachment.mayType && this.#input.clear() > 0) {
      this.#report('ERR_READ_ONLY', 'this viewer may not type');
    }
    this.#after(attachment, TERMINAL_STABLE_MS, () => {
      this.#backoff.reset();
    });
    const send = (control: ViewerControl): void => {
      this.#send({ type: 'control', control });
    };
    this.sharing.attached({
      send,
      after: (ms, callback) => this.#after(attachment, ms, callback),
      again,
    });
    this.#pump();
    this.#acknowledge();
    handlers.inputRoom?.();
  }

  #gap(from: number, to: number): void {
    if (to <= from) return;
    const news = this.#output.gap(from, to);
    if (news !== undefined) this.#options.handlers.gap?.(news.from, news.to);
    this.#acknowledge();
  }

  /** The last frame of a viewer that the agent ended. */
  #refused(attachment: Attachment, error: ErrorRecord): void {
    if (error.code === 'ERR_READ_ONLY' && this.#wantsType) {
      // Only typing is refused, so go on watching.
      this.#wantsType = false;
      this.#input.clear();
      this.#options.handlers.error?.(error);
      this.#drop(attachment, error, true);
      return;
    }
    this.#drop(attachment, error);
  }

  /** Gives up this attachment and tries again, or not, as `error` says. */
  #drop(attachment: Attachment, error: ErrorRecord, retry = false): void {
    this.#release(attachment);
    attachment.channel.close();
    this.#lost(error, retry);
  }

  #lost(error: ErrorRecord, retry = false): void {
    if (this.#isFinal()) return;
    if (!retry && isFatal(error.code)) {
      this.#finish({ type: 'failed', error });
      return;
    }
    const delayMs = this.#backoff.next();
    this.#attempt += 1;
    this.#retry = this.#clock.after(delayMs, () => {
      this.#connect();
    });
    this.#setState({ type: 'reconnecting', delayMs, error });
  }

  /** Enters a final state, once. */
  #finish(state: TerminalClientState): void {
    if (this.#isFinal()) return;
    this.#attempt += 1;
    this.#retry?.cancel();
    this.#retry = undefined;
    // Before the channel is closed, since its end may be told at once and must not look like a loss.
    this.#state = state;
    const attachment = this.#attachment;
    if (attachment !== undefined) {
      this.#release(attachment);
      attachment.channel.close(state.type === 'failed' ? state.error : undefined);
    }
    this.#options.handlers.state(state);
    this.#settle();
  }

  #settle(): void {
    if (this.#isFinal() && this.#open === 0) this.#ended.resolve(undefined);
  }

  #release(attachment: Attachment): void {
    for (const timer of attachment.timers) timer.cancel();
    this.#attachment = undefined;
    this.sharing.detached();
    this.#input.suspend();
  }

  /** Sends what input may be sent now. */
  #pump(): void {
    const attachment = this.#attachment;
    if (attachment?.mayType !== true) return;
    while (attachment.channel.credit > 0) {
      const piece = this.#input.next(TERMINAL_INPUT_FRAME_BYTES);
      if (piece === undefined) return;
      this.#send({ type: 'input', ...piece });
    }
  }

  /** Tells how far the consumer is: at once if that frees much, else a little later, with more. */
  #acknowledge(): void {
    const attachment = this.#attachment;
    if (attachment?.attached !== true) return;
    const { offset, window } = this.#output.acknowledgement();
    const gained = offset + window - attachment.announced;
    if (gained <= 0) return;
    const tell = (): void => {
      attachment.ackTimer?.cancel();
      attachment.ackTimer = undefined;
      const ack = this.#output.acknowledgement();
      attachment.announced = ack.offset + ack.window;
      this.#send({ type: 'ack', ...ack });
    };
    if (gained >= this.#window / 4) tell();
    else attachment.ackTimer ??= this.#after(attachment, TERMINAL_ACK_MS, tell);
  }

  /** A timer that ends with the attachment. */
  #after(attachment: Attachment, ms: number, callback: () => void): Timer {
    const timer = this.#clock.after(ms, () => {
      attachment.timers.delete(timer);
      callback();
    });
    attachment.timers.add(timer);
    return timer;
  }

  #send(frame: ClientFrame): void {
    this.#attachment?.channel.send(encodeClientFrame(frame));
  }

  #mayType(): boolean {
    return this.#attachment?.mayType === true;
  }

  #isFinal(): boolean {
    const { type } = this.#state;
    return type === 'exited' || type === 'failed' || type === 'closed';
  }

  #setState(state: TerminalClientState): void {
    this.#state = state;
    this.#options.handlers.state(state);
  }

  #report(code: ErrorRecord['code'], message: string): void {
    this.#options.handlers.error?.({ code, message });
  }
}

/** A client that is not started yet; it does nothing until `start`. */
export function createTerminalClient(options: TerminalClientOptions): TerminalClient {
  return new TerminalClient(options);
}
