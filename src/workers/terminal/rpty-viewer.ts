import {
  HoldfastError,
  limits,
  toErrorRecord,
  type ByteChannel,
  type ErrorRecord,
  type ViewerId,
} from '../../shared/common/index.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';
import type { ViewerSpec } from '../../shared/node/ports/index.js';
import type { OutputLog } from './output-log.js';
import { RptyRequestDecoder } from './rpty-requests.js';
import type { LogPoint } from './screen/index.js';
import type { Viewer, ViewerHost } from './viewer.js';
import { ViewerChannel } from './viewer-channel.js';
import { ReplayFilter, stripQueries } from '../../shared/node/vt/index.js';

/**
 * A client of the original `reconnecting-pty` protocol: raw output, JSON requests, and no way to say
 * anything else than to close. It attaches with its label, before it has said a word.
 */
export class RptyViewer implements Viewer {
  readonly id: ViewerId;
  readonly subject: string;
  readonly client = undefined;
  readonly mayType: boolean;
  readonly rights: 'view' | 'type';
  readonly isOwner: boolean;
  latencyMs: number | undefined;
  readonly alwaysCounts = false;
  readonly nextSize = Number.POSITIVE_INFINITY;
  readonly nextEvent = Number.POSITIVE_INFINITY;
  readonly #channel: ViewerChannel;
  readonly #host: ViewerHost;
  readonly #log: OutputLog;
  readonly #decoder = new RptyRequestDecoder();
  readonly created: boolean;
  readonly #quiet = new ReplayFilter();
  #size: TerminalSize;
  #ready = false;
  #cursor = 0;
  #progressAt = 0;
  #unread = 0;

  constructor(spec: ViewerSpec, channel: ByteChannel, host: ViewerHost, log: OutputLog) {
    this.id = spec.viewer;
    this.subject = spec.subject;
    this.mayType = spec.mayType;
    this.rights = spec.mayType ? 'type' : 'view';
    this.isOwner = spec.isOwner;
    this.created = spec.created;
    this.#size = spec.size;
    this.#channel = new ViewerChannel(channel);
    this.#host = host;
    this.#log = log;
  }

  start(): void {
    // As the original: the label's size first, then the replay.
    if (this.mayType) this.#host.sharing.resize(this, this.#size);
    // No snapshot: the original sends what it has kept, and its clients expect no more.
    const { offset } = this.#host.join(this, this.#host.replayStart);
    this.#ready = true;
    this.#host.arrived(this);
    this.#replay(offset);
    this.#progressAt = this.#host.now();
    this.#channel.channel.start({
      message: (bytes) => {
        this.#receive(bytes);
      },
      credit: () => {
        this.#progressAt = this.#host.now();
        this.#host.progressed(this);
      },
      end: () => {
        this.#channel.close();
        this.#host.left(this);
      },
    });
    this.#host.progressed(this);
  }

  get ready(): boolean {
    return this.#ready;
  }
  get size(): TerminalSize | undefined {
    return this.mayType ? this.#size : undefined;
  }
  get window(): TerminalSize | undefined {
    return this.#size;
  }
  get cursor(): number {
    return this.#cursor;
  }
  get acked(): number {
    return this.#cursor - this.#channel.outstanding;
  }
  get progressAt(): number {
    return this.#progressAt;
  }
  get room(): number {
    return this.#channel.credit;
  }

  /** Never skipped ahead: the protocol has no word for it. */
  backlogMs(): undefined {
    return undefined;
  }

  sendOutput(log: OutputLog, to: number): void {
    if (this.#channel.outstanding === 0) this.#progressAt = this.#host.now();
    while (this.#cursor < to) {
      const { answers, until } = this.#host.answering(this, this.#cursor);
      const end = Math.min(to, until);
      const bytes = new Uint8Array(end - this.#cursor);
      log.copy(this.#cursor, end, bytes, 0);
      this.#cursor = end;
      this.#show(bytes, answers);
    }
  }

  /** The protocol has no word for `quiet`, so queries that somebody else answers are left out. */
  #show(bytes: Uint8Array<ArrayBuffer>, answers: boolean): void {
    if (!answers) {
      const shown = this.#quiet.push(bytes);
      if (shown.length > 0) this.#channel.send(shown);
      return;
    }
    const held = this.#quiet.finish();
    if (held.length > 0) this.#channel.send(held.slice());
    this.#channel.send(bytes);
  }

  /** The protocol cannot tell of a gap, so the client has to attach anew and gets a clean replay. */
  sendGap({ offset }: LogPoint): void {
    this.#cursor = offset;
    this.end();
  }

  sendRest(): void {
    // It never gets a snapshot.
  }

  sendSize(): void {
    // The original has no such message.
  }

  sendPresence(): boolean {
    // Nor this.
    return true;
  }

  sendEvent(): void {
    // Nor this.
  }

  sendShell(): boolean {
    // Nor this.
    return true;
  }

  sendExit(): void {
    this.#channel.close();
  }

  end(error?: ErrorRecord): void {
    this.#channel.close(error);
  }

  /** In one piece, whatever the credit: at most the ring, and queries must not be cut in two. */
  #replay(from: number): void {
    const to = this.#host.head;
    this.#cursor = to;
    if (from === to) return;
    const bytes = new Uint8Array(to - from);
    this.#log.copy(from, to, bytes, 0);
    // For whoever started the terminal nothing is old: a shell that asks at its start gets its answer.
    const clean = this.created ? bytes : stripQueries(bytes);
    for (let at = 0; at < clean.length; at += limits.OUTPUT_FRAME_BYTES) {
      this.#channel.send(clean.slice(at, at + limits.OUTPUT_FRAME_BYTES));
    }
  }

  #receive(bytes: Uint8Array): void {
    this.#unread += bytes.byteLength;
    try {
      if (this.#unread > limits.RPTY_UNREAD_BYTES) {
        throw new HoldfastError('ERR_INPUT_OVERRUN', 'the program does not read its input');
      }
      const requests = this.#decoder.feed(bytes);
      const last = requests.length - 1;
      if (last < 0 || !this.mayType) this.#taken(bytes.byteLength);
      if (!this.mayType) return;
      requests.forEach((request, index) => {
        // A fresh object per request: the original kept the size of an earlier one (#10369).
        if (request.rows > 0 && request.cols > 0) {
          this.#size = { rows: request.rows, cols: request.cols };
          this.#host.sharing.resize(this, this.#size);
        }
        this.#host.type(this, Buffer.from(request.data, 'utf8'), () => {
          if (index === last) this.#taken(bytes.byteLength);
        });
      });
    } catch (error) {
      const record = toErrorRecord(error);
      this.#host.refused(this, record);
      this.end(record);
    }
  }

  #taken(bytes: number): void {
    this.#unread -= bytes;
    this.#channel.consumed(bytes);
  }
}
