import { createHash } from 'node:crypto';
import {
  HoldfastError,
  limits,
  toErrorRecord,
  type Epoch,
  type ErrorRecord,
  type ViewerId,
} from '../../shared/common/index.js';
import {
  decodeClientFrame,
  encodeAgentFrame,
  encodePresenceFor,
  OUTPUT_HEADER_BYTES,
  TERMINAL_PROTOCOL_VERSION,
  viewerEventJson,
  writeOutputHeader,
  type AgentFrame,
  type ClientFrame,
  type ExitStatus,
  type Pace,
  type SizePolicy,
  type TerminalSize,
} from '../../shared/common/wire/index.js';
import type { ByteChannel } from '../../shared/common/index.js';
import { takeFrame, type TerminalStatus, type ViewerSpec } from '../../shared/node/ports/index.js';
import { Flight } from './flight.js';
import type { OutputLog } from './output-log.js';
import type { LogPoint } from './screen/index.js';
import type { ShellEventAt } from './shell/index.js';
import type { Viewer, ViewerHost } from './viewer.js';
import { ViewerChannel } from './viewer-channel.js';

type AttachFrame = Extract<ClientFrame, { type: 'attach' }>;

/** Largest piece of a snapshot in one frame, so that what else is on the link gets its turn. */
const SNAPSHOT_FRAME_BYTES = 16 * limits.KIB;

/** What `attached` states besides the viewer's own position. */
export interface TerminalFacts {
  readonly epoch: Epoch;
  readonly status: TerminalStatus;
  readonly pace: Pace;
  readonly sizePolicy: SizePolicy;
}

/** A viewer that speaks the `terminal` protocol. */
export class FrameViewer implements Viewer {
  readonly id: ViewerId;
  readonly subject: string;
  readonly rights: 'view' | 'type';
  readonly isOwner: boolean;
  readonly created: boolean;
  readonly alwaysCounts = false;
  nextSize = 0;
  nextEvent = 0;
  latencyMs: number | undefined;
  readonly #flight = new Flight();
  readonly #spec: ViewerSpec;
  readonly #channel: ViewerChannel;
  readonly #host: ViewerHost;
  readonly #facts: () => TerminalFacts;
  #ready = false;
  #wantsType = true;
  /** What it is told when it has been attached. */
  readonly #early: AgentFrame[] = [];
  #size: TerminalSize | undefined;
  #cursor = 0;
  #acked = 0;
  /** First offset that it does not take yet. */
  #limit = 0;
  #replayUntil = 0;
  /** A snapshot that is on its way; output waits for the end of it. */
  #rest: { offset: number; size: TerminalSize; bytes: Uint8Array; sent: number } | undefined;
  #progressAt = 0;
  /** Whose input it is; see {@link typistOf}. */
  #typist: Uint8Array = new Uint8Array();
  #client: string | undefined;
  /** Next input byte expected, and the first one that the kernel does not have yet. */
  #inputSeq = 0;
  #typed = 0;
  #isOver = false;

  constructor(
    spec: ViewerSpec,
    channel: ByteChannel,
    host: ViewerHost,
    facts: () => TerminalFacts,
  ) {
    this.id = spec.viewer;
    this.subject = spec.subject;
    this.rights = spec.mayType ? 'type' : 'view';
    this.isOwner = spec.isOwner;
    this.created = spec.created;
    this.#spec = spec;
    this.#channel = new ViewerChannel(channel);
    this.#host = host;
    this.#facts = facts;
  }

  /** Begins to listen; separate from the constructor since frames may arrive at once. */
  start(): void {
    this.#channel.channel.start({
      message: (bytes) => {
        this.#channel.consumed(bytes.byteLength);
        this.#receive(bytes);
      },
      credit: () => {
        this.#host.progressed(this);
      },
      end: () => {
        this.#channel.close();
        this.#host.left(this);
      },
    });
  }

  get ready(): boolean {
    return this.#ready;
  }
  get client(): string | undefined {
    return this.#client;
  }
  get mayType(): boolean {
    return this.rights === 'type' && this.#wantsType;
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
    return this.#acked;
  }
  get progressAt(): number {
    return this.#progressAt;
  }
  get room(): number {
    if (this.#rest !== undefined) return 0;
    return Math.min(
      this.#channel.credit - OUTPUT_HEADER_BYTES,
      this.#limit - this.#cursor,
      this.#flight.room,
    );
  }

  backlogMs(unsent: number): number | undefined {
    return this.#flight.backlogMs(unsent, this.#host.now());
  }

  sendOutput(log: OutputLog, to: number): void {
    const now = this.#host.now();
    if (this.#acked === this.#cursor) this.#progressAt = now;
    let from = this.#cursor;
    while (from < to) {
      const replay = from < this.#replayUntil;
      const { answers, until } = this.#host.answering(this, from);
      const end = Math.min(
        to,
        from + this.#flight.frameBytes,
        until,
        replay ? this.#replayUntil : Number.POSITIVE_INFINITY,
      );
      const frame = takeFrame(OUTPUT_HEADER_BYTES + end - from);
      writeOutputHeader(frame, { replay, quiet: !answers, offset: from, nextOffset: end });
      log.copy(from, end, frame, OUTPUT_HEADER_BYTES);
      this.#channel.send(frame);
      this.#flight.sent(end - from, end, now, end < log.head);
      from = end;
    }
    this.#cursor = to;
  }

  sendGap(point: LogPoint): void {
    const to = point.offset;
    this.#channel.send(encodeAgentFrame({ type: 'gap', from: this.#cursor, to }));
    // What is gone takes none of the window, and frees none: with the whole window at each gap, one that
    // stopped reading would be sent more and more for as long as it falls behind faster than it fills up.
    this.#limit += to - this.#cursor;
    this.#cursor = to;
    this.#acked = Math.max(this.#acked, to);
    this.#startSnapshot(point);
  }

  sendRest(): void {
    const rest = this.#rest;
    if (rest === undefined) return;
    const { offset, size, bytes } = rest;
    while (this.#channel.credit > 0 && rest.sent < bytes.length) {
      const end = Math.min(bytes.length, rest.sent + SNAPSHOT_FRAME_BYTES);
      const continues = rest.sent > 0;
      const piece = bytes.subarray(rest.sent, end);
      this.#channel.send(
        encodeAgentFrame({ type: 'snapshot', continues, offset, size, bytes: piece }),
      );
      this.#flight.sent(piece.length, offset, this.#host.now(), true);
      rest.sent = end;
    }
    if (rest.sent === bytes.length) this.#rest = undefined;
  }

  sendSize(offset: number, size: TerminalSize): void {
    if (this.#ready) this.#channel.send(encodeAgentFrame({ type: 'size', offset, size }));
  }

  sendPresence(common: Uint8Array): boolean {
    if (this.#channel.credit <= 0) return false;
    this.#channel.send(encodePresenceFor(common, this.id));
    return true;
  }

  sendEvent(json: string): void {
    this.#tell({ type: 'event', json });
  }

  sendShell({ offset, event }: ShellEventAt): boolean {
    return this.#tell(
      event.type === 'title' ? event : { type: 'event', json: viewerEventJson(offset, event) },
    );
  }

  sendExit(exit: ExitStatus, totalBytes: number): void {
    this.#channel.send(encodeAgentFrame({ type: 'exit', exit, totalBytes }));
    this.#channel.close();
  }

  end(error?: ErrorRecord): void {
    this.#isOver = true;
    if (error !== undefined) {
      this.#channel.send(
        encodeAgentFrame({ type: 'error', code: error.code, message: error.message }),
      );
    }
    this.#channel.close(error);
  }

  /** False: it takes nothing now, and was not told. */
  #tell(frame: AgentFrame): boolean {
    // What its own attach led to comes after the answer to it.
    if (!this.#ready) this.#early.push(frame);
    else if (this.#channel.credit > 0) this.#channel.send(encodeAgentFrame(frame));
    else return false;
    return true;
  }

  #receive(bytes: Uint8Array): void {
    // What a client that has come again said here last it says once more there.
    if (this.#isOver) return;
    try {
      this.#handle(decodeClientFrame(bytes));
    } catch (error) {
      const record = toErrorRecord(error);
      this.#host.refused(this, record);
      this.end(record);
    }
  }

  #handle(frame: ClientFrame): void {
    if (frame.type === 'attach') {
      this.#attach(frame);
      return;
    }
    if (!this.#ready) throw new HoldfastError('ERR_FRAME', 'the first frame must be attach');
    switch (frame.type) {
      case 'ack':
        this.#ack(frame.offset, frame.window);
        return;
      case 'input':
        this.#input(frame.seq, frame.bytes);
        return;
      case 'resize':
        this.#size = frame.size;
        this.#host.sharing.resize(this, frame.size);
        return;
      case 'configure':
        if (!this.mayType) throw readOnly();
        this.#host.sharing.configure(this, frame.settings);
        return;
      case 'control':
        this.#host.sharing.request(this, frame.control);
        return;
    }
  }

  #attach(frame: AttachFrame): void {
    if (this.#ready) throw new HoldfastError('ERR_FRAME', 'attached already');
    if (frame.version !== TERMINAL_PROTOCOL_VERSION) {
      throw new HoldfastError(
        'ERR_PROTOCOL_VERSION',
        `terminal protocol ${String(frame.version)}; this agent speaks ${String(TERMINAL_PROTOCOL_VERSION)}`,
      );
    }
    const before = this.#facts();
    const { settings } = frame;
    this.#resumeInput(frame.clientId, before.status);
    this.#wantsType = frame.wantsType;
    this.#size = frame.size;
    if (this.mayType) {
      if (settings.pace !== undefined || settings.sizePolicy !== undefined) {
        this.#host.sharing.configure(this, settings);
      }
      this.#host.sharing.resize(this, frame.size);
    }
    const known = frame.epoch === before.epoch ? frame.offset : undefined;
    // Registration and the choice of the cursor are one step: nothing is lost or sent twice between.
    const point = this.#host.join(this, known);
    this.#ready = true;
    this.#cursor = point.offset;
    this.nextSize = point.sizes;
    this.nextEvent = point.events;
    this.#acked = point.offset;
    this.#limit = point.offset + frame.window;
    // For whoever started the terminal nothing is old: a shell that asks at its start gets its answer.
    this.#replayUntil = this.#spec.created ? point.offset : this.#host.head;
    this.#progressAt = this.#host.now();
    this.#host.arrived(this);
    const facts = this.#facts();
    this.#channel.send(
      encodeAgentFrame({
        type: 'attached',
        version: TERMINAL_PROTOCOL_VERSION,
        mayType: this.mayType,
        created: this.#spec.created,
        epoch: facts.epoch,
        oldest: this.#host.oldest,
        offset: point.offset,
        head: this.#host.head,
        size: point.size,
        inputSeq: this.#inputSeq,
        inputWindow: this.mayType ? limits.PTY_INPUT_BYTES : 0,
        pace: facts.pace,
        sizePolicy: facts.sizePolicy,
      }),
    );
    if (point.gap !== undefined) {
      this.#channel.send(encodeAgentFrame({ type: 'gap', ...point.gap }));
    }
    this.#startSnapshot(point);
    for (const frame of this.#early.splice(0)) this.#tell(frame);
    this.#host.progressed(this);
  }

  #startSnapshot({ offset, size, snapshot }: LogPoint): void {
    this.#rest = snapshot === undefined ? undefined : { offset, size, bytes: snapshot, sent: 0 };
    this.sendRest();
  }

  #ack(offset: number, window: number): void {
    if (offset > this.#cursor) {
      throw new HoldfastError('ERR_FRAME', 'acknowledges output that was not sent');
    }
    // Late acks do no harm, since both numbers only ever grow.
    const now = this.#host.now();
    const before = this.#flight.bytes;
    this.#flight.acked(offset, now);
    // Of what was sent before a gap it is progress as well, though `acked` is at the gap's end already.
    if (offset > this.#acked || this.#flight.bytes < before) this.#progressAt = now;
    this.#acked = Math.max(this.#acked, offset);
    this.#limit = Math.max(this.#limit, offset + window);
    this.#host.progressed(this);
  }

  /** Only what the kernel has is taken as typed: if this worker dies now, the client sends all the rest again. */
  #resumeInput(clientId: Uint8Array, status: TerminalStatus): void {
    const typist = typistOf(clientId, this.#spec.subject);
    this.#typist = typist;
    const client = typist.toString('hex');
    // Before it has that name itself.
    const typedOfPiece = this.#host.cameAgain(client);
    this.#client = client;
    this.#typed = status.typed(typist) + typedOfPiece;
    if (typedOfPiece > 0) status.recordTyped(typist, this.#typed);
    this.#inputSeq = this.#typed;
  }

  #input(seq: number, bytes: Uint8Array): void {
    if (!this.mayType) throw readOnly();
    if (seq > this.#inputSeq) throw new HoldfastError('ERR_FRAME', 'input is missing before this');
    // A client that re-attached sends what was not acknowledged again; we may have had part of it.
    const fresh = bytes.subarray(Math.min(bytes.length, this.#inputSeq - seq));
    if (fresh.length === 0) return;
    if (this.#inputSeq + fresh.length - this.#typed > limits.PTY_INPUT_BYTES) {
      throw new HoldfastError('ERR_INPUT_OVERRUN', 'more input than the stated window');
    }
    this.#inputSeq += fresh.length;
    const upTo = this.#inputSeq;
    this.#host.type(this, fresh, () => {
      // Recorded only when the kernel has it: if this worker dies before, the client sends it again.
      this.#typed = upTo;
      this.#facts().status.recordTyped(this.#typist, upTo);
      this.#channel.send(
        encodeAgentFrame({ type: 'inputAck', seq: upTo, window: limits.PTY_INPUT_BYTES }),
      );
    });
  }
}

/**
 * Who counts as the client that was here before: one with the same id and the same subject. Ids are chosen by clients, so the
 * id alone would let somebody else end a viewer and take its input back. As long as an id.
 */
function typistOf(clientId: Uint8Array, subject: string): Buffer {
  return createHash('sha256')
    .update(clientId)
    .update(subject)
    .digest()
    .subarray(0, clientId.length);
}

function readOnly(): HoldfastError {
  return new HoldfastError('ERR_READ_ONLY', 'this viewer may only watch');
}
