import type { WebSocket } from 'ws';
import type { z } from 'zod';
import {
  HoldfastError,
  limits,
  systemClock,
  toErrorRecord,
  type Clock,
  type ErrorRecord,
  type Timer,
} from '../../../shared/common/index.js';

/** WebSocket close codes (RFC 6455 section 7.4.1). */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const POLICY = 1008;

export interface JsonSocketOptions<In> {
  readonly schema: z.ZodType<In>;
  /** Messages come one at a time: the next only after this has settled. A rejection ends the link. */
  readonly onMessage: (message: In) => Promise<void> | void;
  /** Called once. The error is what ended it, unless the other side closed it properly. */
  readonly onEnd: (error?: HoldfastError) => void;
  readonly clock?: Clock;
}

/**
 * One end of a link of JSON messages: checks each against a schema, takes no faster than it handles,
 * bounds what waits to be sent, and finds out when the other side has died silently.
 */
export class JsonSocket<In, Out extends { readonly type: string }> {
  readonly #socket: WebSocket;
  readonly #options: JsonSocketOptions<In>;
  readonly #clock: Clock;
  #queue: Promise<void> = Promise.resolve();
  #pending = 0;
  #heard: number;
  #ping: Timer | undefined;
  #ended = false;
  #error: HoldfastError | undefined;

  constructor(socket: WebSocket, options: JsonSocketOptions<In>) {
    this.#socket = socket;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#heard = this.#clock.now();
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.#heard = this.#clock.now();
      if (!this.#ended) this.#enqueue(data, isBinary);
    });
    socket.on('pong', () => {
      this.#heard = this.#clock.now();
    });
    socket.on('error', (error: Error & { code?: string }) => {
      this.#error ??= error.code?.startsWith('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
        ? new HoldfastError('ERR_MESSAGE_TOO_LARGE', 'a message is too long')
        : new HoldfastError('ERR_PROTOCOL', error.message);
    });
    socket.on('close', () => {
      this.#end();
    });
    this.#schedulePing();
  }

  /** Whether messages can still be sent. */
  get isOpen(): boolean {
    return !this.#ended;
  }

  /** Sends `message`; whoever lets SIGNAL_QUEUE_BYTES pile up is cut off. */
  send(message: Out): void {
    if (this.#ended) return;
    this.#socket.send(JSON.stringify(message));
    if (this.#socket.bufferedAmount > limits.SIGNAL_QUEUE_BYTES) {
      this.#error ??= new HoldfastError('ERR_PEER_LOST', 'the other side does not read');
      this.#socket.terminate();
    }
  }

  /** Tells the other side what is wrong and ends the link. */
  fail(error: unknown): void {
    if (this.#ended) return;
    const record: ErrorRecord = toErrorRecord(error);
    this.#error ??= new HoldfastError(record.code, record.message, { cause: error });
    this.#socket.send(JSON.stringify({ type: 'error', error: record }));
    this.#close(POLICY, record.code);
  }

  /** Ends the link after what was sent. */
  close(reason: 'done' | 'shutdown' = 'done'): void {
    if (!this.#ended) this.#close(reason === 'done' ? NORMAL : GOING_AWAY, '');
  }

  #close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    this.#end();
  }

  #enqueue(data: Buffer, isBinary: boolean): void {
    this.#pending += 1;
    // Messages that came in one read may still follow; the rest stays in the kernel.
    this.#socket.pause();
    this.#queue = this.#queue.then(async () => {
      try {
        if (!this.#ended) await this.#options.onMessage(this.#parse(data, isBinary));
      } catch (error) {
        this.fail(error);
      }
      this.#pending -= 1;
      if (this.#pending === 0) this.#socket.resume();
    });
  }

  #parse(data: Buffer, isBinary: boolean): In {
    if (isBinary) throw new HoldfastError('ERR_PROTOCOL', 'binary message where JSON was expected');
    let value: unknown;
    try {
      value = JSON.parse(data.toString('utf8'));
    } catch {
      throw new HoldfastError('ERR_PROTOCOL', 'message is not JSON');
    }
    const result = this.#options.schema.safeParse(value);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    throw new HoldfastError(
      'ERR_PROTOCOL',
      `message refused: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.slice(0, 200),
    );
  }

  #schedulePing(): void {
    this.#ping = this.#clock.after(limits.LINK_PING_MS, () => {
      if (this.#clock.now() - this.#heard > 2 * limits.LINK_PING_MS) {
        this.#error ??= new HoldfastError('ERR_PEER_LOST', 'no sign of life');
        this.#socket.terminate();
        return;
      }
      this.#socket.ping();
      this.#schedulePing();
    });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ping?.cancel();
    this.#socket.resume();
    this.#options.onEnd(this.#error);
  }
}
