import type { ByteChannel, ErrorRecord, ViewerId } from '../../shared/common/index.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';
import { takeFrame, type TerminalStatus, type ViewerSpec } from '../../shared/node/ports/index.js';
import { QueryMute } from './answers/index.js';
import type { OutputLog } from './output-log.js';
import type { LogPoint } from './screen/index.js';
import type { Viewer, ViewerHost } from './viewer.js';
import { ViewerChannel } from './viewer-channel.js';

/** The PTY of an SSH session: plain bytes, no replay but what it lacks, nothing ever lost. */
export class RawViewer implements Viewer {
  readonly id: ViewerId;
  readonly subject: string;
  readonly client = undefined;
  readonly mayType = true;
  readonly rights = 'type';
  readonly isOwner: boolean;
  latencyMs: number | undefined;
  readonly created: boolean;
  readonly alwaysCounts = true;
  readonly nextSize = Number.POSITIVE_INFINITY;
  readonly nextEvent = Number.POSITIVE_INFINITY;
  readonly size: TerminalSize | undefined;
  readonly #channel: ViewerChannel;
  readonly #host: ViewerHost;
  readonly #status: TerminalStatus;
  readonly #from: number;
  readonly #mute = new QueryMute();
  #ready = false;
  #cursor = 0;
  #progressAt = 0;

  constructor(spec: ViewerSpec, channel: ByteChannel, host: ViewerHost, status: TerminalStatus) {
    this.id = spec.viewer;
    this.subject = spec.subject;
    this.isOwner = spec.isOwner;
    this.size = spec.size;
    this.created = spec.created;
    this.#from = spec.offset ?? 0;
    this.#channel = new ViewerChannel(channel);
    this.#host = host;
    this.#status = status;
  }

  start(): void {
    const point = this.#host.join(this, this.#from);
    this.#ready = true;
    this.#host.arrived(this);
    this.#cursor = point.offset;
    this.#progressAt = this.#host.now();
    this.#channel.channel.start({
      message: (bytes) => {
        this.#host.type(this, bytes, () => {
          // The count is in shared memory before the credit, so that main never re-sends this.
          this.#status.rawInput += bytes.byteLength;
          this.#channel.consumed(bytes.byteLength);
        });
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

  get window(): TerminalSize | undefined {
    return this.size;
  }
  get ready(): boolean {
    return this.#ready;
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

  /** Never skipped ahead, however far behind. */
  backlogMs(): undefined {
    return undefined;
  }

  sendOutput(log: OutputLog, to: number): void {
    const bytes = takeFrame(to - this.#cursor);
    log.copy(this.#cursor, to, bytes, 0);
    for (let at = 0; at < bytes.length;) {
      const { answers, until } = this.#host.answering(this, this.#cursor + at);
      const end = Math.min(bytes.length, until - this.#cursor);
      const piece = bytes.subarray(at, end);
      if (answers) this.#mute.observe(piece);
      else this.#mute.apply(piece);
      at = end;
    }
    this.#channel.send(bytes);
    this.#cursor = to;
  }

  /** Only after a worker died with bytes that it had not yet put into the ring. */
  sendGap({ offset }: LogPoint): void {
    this.#cursor = offset;
  }

  sendRest(): void {
    // It never gets a snapshot.
  }

  sendSize(): void {
    // The session's own side sets the size.
  }

  sendPresence(): boolean {
    // SSH has no such message.
    return true;
  }

  sendEvent(): void {
    // Nor this.
  }

  sendShell(): boolean {
    // Nor this.
    return true;
  }

  /** The status travels over main; here the bytes just end. */
  sendExit(): void {
    this.#channel.close();
  }

  end(error?: ErrorRecord): void {
    this.#channel.close(error);
  }
}
