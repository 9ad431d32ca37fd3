import type { ByteChannel, Epoch, OwnedBytes } from '../../src/shared/common/index.js';
import {
  decodeClientFrame,
  encodeAgentFrame,
  TERMINAL_PROTOCOL_VERSION,
  type AgentFrame,
  type ClientFrame,
  type ExitStatus,
  type TerminalSize,
} from '../../src/shared/common/wire/index.js';

interface Viewer {
  readonly channel: ByteChannel;
  readonly clientId: string;
  cursor: number;
  limit: number;
  /** Where the log ended at the attach. */
  readonly head: number;
}

/**
 * The agent's side of the `terminal` protocol, as docs/protocol.md describes it, in the simplest form:
 * a log in memory, one cursor per viewer, input counted per client.
 */
export class ScriptedTerminal {
  epoch: Epoch;
  log = new Uint8Array(0);
  oldest = 0;
  typed = '';
  mayType = true;
  inputWindow = 1_000;
  frameBytes = 7;
  title = '';
  /** What the screen shows at the oldest byte that is kept; told behind a gap. */
  snapshot: { readonly text: string; readonly size: TerminalSize } | undefined;
  /** The size of everybody else: it holds whatever a viewer asks for. */
  fixedSize: TerminalSize | undefined;
  /** The program: what it does with what is typed. */
  onInput: ((text: string) => void) | undefined;
  readonly frames: ClientFrame[] = [];
  /** Problems that a real agent would have ended the viewer for. */
  readonly faults: string[] = [];
  #inputSeq = new Map<string, number>();
  #viewers = new Set<Viewer>();
  #exit: ExitStatus | undefined;

  constructor(epoch = '00000000000000aa') {
    this.epoch = epoch as Epoch;
  }

  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  get viewerCount(): number {
    return this.#viewers.size;
  }

  /** Serves one channel until it ends. */
  serve(channel: ByteChannel): void {
    let viewer: Viewer | undefined;
    channel.start({
      message: (bytes) => {
        channel.consumed(bytes.length);
        const frame = decodeClientFrame(bytes);
        this.frames.push(frame);
        if (frame.type === 'attach') viewer = this.#attach(channel, frame);
        else if (viewer === undefined) this.faults.push(`${frame.type} before attach`);
        else this.#handle(viewer, frame);
      },
      credit: () => undefined,
      end: () => {
        if (viewer !== undefined) this.#viewers.delete(viewer);
        channel.close();
      },
    });
  }

  /** The program writes. */
  write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    const log = new Uint8Array(this.log.length + bytes.length);
    log.set(this.log);
    log.set(bytes, this.log.length);
    this.log = log;
    this.#pumpAll();
  }

  /** Sends `frame` to every viewer. */
  tell(frame: AgentFrame): void {
    for (const viewer of this.#viewers) this.#send(viewer, frame);
  }

  /** Gives the terminal this size, for all viewers and whoever comes. */
  fixSize(size: TerminalSize): void {
    this.fixedSize = size;
    this.tell({ type: 'size', offset: this.log.length, size });
  }

  /** The ring forgets all but the last `keep` bytes. */
  evict(keep: number): void {
    this.oldest = Math.max(this.oldest, this.log.length - keep);
    this.#pumpAll();
  }

  /** The program ends and another is started under the same id. */
  restart(epoch: string): void {
    this.epoch = epoch as Epoch;
    this.log = new Uint8Array(0);
    this.oldest = 0;
    this.typed = '';
    this.#inputSeq = new Map();
    this.#viewers.clear();
  }

  exit(exit: ExitStatus): void {
    this.#exit = exit;
    this.#pumpAll();
  }

  #attach(channel: ByteChannel, frame: Extract<ClientFrame, { type: 'attach' }>): Viewer {
    const clientId = Buffer.from(frame.clientId).toString('hex');
    const wanted = frame.epoch === this.epoch ? (frame.offset ?? this.oldest) : this.oldest;
    const cursor = Math.max(wanted, this.oldest);
    const viewer = {
      channel,
      clientId,
      cursor,
      limit: cursor + frame.window,
      head: this.log.length,
    };
    this.#viewers.add(viewer);
    this.#send(viewer, {
      type: 'attached',
      version: TERMINAL_PROTOCOL_VERSION,
      mayType: this.mayType && frame.wantsType,
      created: false,
      epoch: this.epoch,
      oldest: this.oldest,
      offset: cursor,
      head: this.log.length,
      size: this.fixedSize ?? frame.size,
      inputSeq: this.#inputSeq.get(clientId) ?? 0,
      inputWindow: this.inputWindow,
      pace: 'fastest',
      sizePolicy: 'latest',
    });
    if (cursor > wanted) this.#skip(viewer, wanted);
    this.#pump(viewer);
    return viewer;
  }

  #handle(viewer: Viewer, frame: ClientFrame): void {
    if (frame.type === 'input') {
      const expected = this.#inputSeq.get(viewer.clientId) ?? 0;
      if (frame.seq > expected) this.faults.push('input with a hole');
      const fresh = frame.bytes.subarray(Math.max(0, expected - frame.seq));
      this.typed += Buffer.from(fresh).toString('latin1');
      const seq = expected + fresh.length;
      this.#inputSeq.set(viewer.clientId, seq);
      this.#send(viewer, { type: 'inputAck', seq, window: this.inputWindow });
      this.onInput?.(Buffer.from(fresh).toString());
    } else if (frame.type === 'resize') {
      const size = this.fixedSize ?? frame.size;
      this.tell({ type: 'size', offset: this.log.length, size });
    } else if (frame.type === 'ack') {
      if (frame.offset > viewer.cursor) this.faults.push('acknowledged more than was sent');
      viewer.limit = Math.max(viewer.limit, frame.offset + frame.window);
      this.#pump(viewer);
    }
  }

  #pumpAll(): void {
    for (const viewer of this.#viewers) this.#pump(viewer);
  }

  #pump(viewer: Viewer): void {
    if (viewer.cursor < this.oldest) {
      this.#skip(viewer, viewer.cursor);
    }
    while (viewer.cursor < Math.min(this.log.length, viewer.limit)) {
      const replay = viewer.cursor < viewer.head;
      const end = Math.min(
        replay ? viewer.head : this.log.length,
        viewer.limit,
        viewer.cursor + this.frameBytes,
      );
      this.#send(viewer, {
        type: 'output',
        replay,
        quiet: replay,
        offset: viewer.cursor,
        nextOffset: end,
        bytes: this.log.subarray(viewer.cursor, end),
      });
      viewer.cursor = end;
    }
    if (this.#exit !== undefined && viewer.cursor === this.log.length) {
      this.#send(viewer, { type: 'exit', exit: this.#exit, totalBytes: this.log.length });
      viewer.channel.close();
      this.#viewers.delete(viewer);
    }
  }

  #skip(viewer: Viewer, from: number): void {
    this.#send(viewer, { type: 'gap', from, to: this.oldest });
    viewer.cursor = this.oldest;
    const { snapshot } = this;
    if (snapshot === undefined) return;
    const bytes = new TextEncoder().encode(snapshot.text);
    this.#send(viewer, {
      type: 'snapshot',
      continues: false,
      offset: this.oldest,
      size: snapshot.size,
      bytes,
    });
  }

  #send(viewer: Viewer, frame: AgentFrame): void {
    viewer.channel.send(encodeAgentFrame(frame) satisfies OwnedBytes);
  }
}
