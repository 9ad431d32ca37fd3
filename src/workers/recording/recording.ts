import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { workerData, type MessagePort } from 'node:worker_threads';
import {
  assertNever,
  createLogger,
  deferred,
  limits,
  toErrorRecord,
  type Logger,
} from '../../shared/common/index.js';
import { CastEncoder } from '../../shared/common/recording/index.js';
import type {
  ExitStatus,
  RecordingEndReason,
  TerminalSize,
} from '../../shared/common/wire/index.js';
import {
  injectFault,
  monotonicMs,
  RecordingRoom,
  RecordingStatus,
  type FeedAnswer,
  type FeedMessage,
  type RecordingCommand,
  type RecordingEvent,
  type RecordingTask,
  type WorkerSetup,
} from '../../shared/node/ports/index.js';
import { Allowance } from './allowance.js';
import { GrowingFile, isDiskFull } from './growing-file.js';
import { Keyframer } from './keyframer.js';
import { dropTail } from './last-words.js';

/** One write takes about so much of what waits. */
const BATCH_BYTES = 64 * limits.KIB;
/** Small output waits so long for more; what is lost if the machine, not the agent, dies. */
const FLUSH_MS = 100;
/** How long the terminal's worker has to say its last when the recording is stopped. */
const FINISH_MS = 2_000;

/** What messages other than output cost of the queue, as the terminal's worker counts them. */
const MESSAGE_BYTES = 64;

/**
 * One recording: takes what a terminal's workers send, one after the other, and writes it down. Ends with
 * the terminal, when told to, or when there is no more space; in each case the file says why.
 */
export class Recording {
  readonly #task: RecordingTask;
  readonly #port: MessagePort;
  readonly #logger: Logger;
  readonly #status: RecordingStatus;
  readonly #allowance: Allowance;
  readonly #ended = deferred<RecordingEndReason>();
  readonly #feeds: MessagePort[] = [];
  readonly #waiting: { readonly message: FeedMessage; readonly from: MessagePort | undefined }[] =
    [];
  #feed: MessagePort | undefined;
  #encoder = new CastEncoder();
  #file!: GrowingFile;
  #keyframer!: Keyframer;
  #startedAt = 0;
  /** Log position of the next byte of output that is wanted. */
  #next = 0;
  #missing = 0;
  #size: TerminalSize = { rows: 0, cols: 0 };
  /** Number of the next change of the size. */
  #sizes = 0;
  #isWriting = false;
  #flush: NodeJS.Timeout | undefined;
  #stopping: RecordingEndReason | undefined;
  /** Where the log ended. Absent: that is not known, or it goes on. */
  #total: number | undefined;
  #isOver = false;

  constructor(task: RecordingTask) {
    this.#task = task;
    this.#port = task.port;
    this.#logger = createLogger(
      (record) => {
        this.#port.postMessage({ type: 'log', record } satisfies RecordingEvent);
      },
      { recording: task.name, terminal: task.terminal },
    );
    this.#status = new RecordingStatus(task.status);
    this.#allowance = new Allowance(task.maxBytes, new RecordingRoom(task.room), this.#status);
  }

  /** Writes until the recording has ended and its index is complete. */
  async serve(): Promise<void> {
    await this.#open();
    this.#port.on('message', (command: RecordingCommand) => {
      this.#obey(command);
    });
    // Main has given the recording up.
    this.#port.on('close', () => {
      this.#end('closed');
    });
    const reason = await this.#ended.promise;
    clearTimeout(this.#flush);
    for (const feed of [this.#feed, ...this.#feeds]) feed?.close();
    const { bytes, at, missing } = this.#status;
    await this.#keyframer.end({ reason, durationMs: at, bytes, missing });
    this.#port.postMessage({ type: 'ended', reason } satisfies RecordingEvent);
    // A busy disk may take its time; nobody who stops a recording waits for that.
    await this.#file.sync().catch(() => undefined);
    // Whoever plays a long recording right after it ended has the keyframes that there are by then.
    if (reason !== 'closed') await this.#keyframer.complete();
    await this.#keyframer.close();
    await this.#file.close();
    this.#port.close();
  }

  /** A recording that another worker had before goes on where its file ends. */
  async #open(): Promise<void> {
    const { folder, name } = this.#task;
    const path = join(folder, `${name}.cast`);
    const { isResumed } = this.#task;
    this.#file = await GrowingFile.open(path, isResumed ? this.#status.bytes : undefined);
    if (this.#file.bytes > 0) {
      this.#encoder = new CastEncoder(this.#status.at);
      this.#startedAt = this.#status.startedAt;
      this.#next = this.#status.offset;
      this.#missing = this.#status.missing;
      this.#size = this.#status.size;
    }
    this.#keyframer = await Keyframer.open({
      path: join(folder, `${name}.idx`),
      cast: this.#file,
      isResumed,
      allows: (bytes) => this.#allowance.allows(this.#file.bytes + bytes) === 'yes',
      logger: this.#logger,
    });
  }

  #obey(command: RecordingCommand): void {
    switch (command.type) {
      case 'feed':
        this.#feeds.push(command.port);
        if (this.#feed === undefined) this.#nextFeed();
        return;
      case 'stop':
        this.#stop(command.reason, command.total);
        return;
      case 'fault':
        if ((workerData as WorkerSetup | null)?.faults === true) injectFault(command.kind);
        return;
      default:
        assertNever(command);
    }
  }

  /** The next worker is heard only after all that the one before had said. */
  #nextFeed(): void {
    const feed = this.#feeds.shift();
    this.#feed = feed;
    feed?.on('message', (message: FeedMessage) => {
      this.#waiting.push({ message, from: feed });
      this.#schedule();
    });
    feed?.on('close', () => {
      if (this.#feed === feed) this.#nextFeed();
      this.#schedule();
    });
  }

  #stop(reason: RecordingEndReason, total: number | undefined): void {
    if (this.#stopping !== undefined) return;
    this.#stopping = reason;
    this.#total = total;
    const feed = this.#feed;
    if (feed !== undefined) {
      feed.postMessage({ type: 'finish' } satisfies FeedAnswer);
      setTimeout(() => {
        feed.close();
      }, FINISH_MS).unref();
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isOver || this.#isWriting) return;
    const bytes = this.#waiting.reduce((sum, { message }) => sum + costOf(message), 0);
    if (
      bytes >= BATCH_BYTES ||
      this.#startedAt === 0 ||
      this.#feed === undefined ||
      this.#waiting.at(-1)?.message.type === 'exit'
    ) {
      clearTimeout(this.#flush);
      this.#flush = undefined;
      void this.#write();
      return;
    }
    this.#flush ??= setTimeout(() => {
      this.#flush = undefined;
      void this.#write();
    }, FLUSH_MS);
  }

  /** Writes all that waits, a batch at a time. */
  async #write(): Promise<void> {
    if (this.#isWriting || this.#isOver) return;
    this.#isWriting = true;
    try {
      while (this.#waiting.length > 0 && !this.#isOver) await this.#writeBatch();
      if (this.#stopping !== undefined && this.#feed === undefined && !this.#isOver) {
        await this.#finish(this.#stopping);
      }
    } catch (error) {
      await this.#giveUp(isDiskFull(error) ? 'disk-full' : 'disk-error', error);
    } finally {
      this.#isWriting = false;
    }
  }

  /** No feed is left: what the terminal said and nobody handed over is stated. */
  async #finish(reason: RecordingEndReason): Promise<void> {
    const at = monotonicMs();
    const { size, head } = this.#task;
    const last: FeedMessage[] = [];
    if (this.#startedAt === 0) last.push({ type: 'begin', at, offset: head, size, sizes: 0 });
    if (this.#total !== undefined) last.push({ type: 'gap', at, to: this.#total });
    for (const message of last) this.#waiting.push({ message, from: undefined });
    if (last.length > 0) await this.#writeBatch();
    this.#end(reason);
  }

  async #writeBatch(): Promise<void> {
    const paid = new Map<MessagePort, number>();
    let text = '';
    let exit: ExitStatus | undefined;
    while (this.#waiting.length > 0 && text.length < BATCH_BYTES && exit === undefined) {
      const [first] = this.#waiting.splice(0, 1);
      if (first === undefined) break;
      const { message, from } = first;
      text += this.#encode(message);
      if (from !== undefined) paid.set(from, (paid.get(from) ?? 0) + costOf(message));
      if (message.type === 'exit') exit = message.exit;
    }
    const data = Buffer.from(text);
    const allowed = this.#allowance.allows(this.#file.bytes + data.length + this.#keyframer.bytes);
    if (allowed !== 'yes') {
      await this.#giveUp(allowed);
      return;
    }
    await this.#file.append(data);
    const isFirst = this.#status.bytes === 0;
    this.#store(this.#next - this.#encoder.heldBytes);
    if (isFirst) this.#port.postMessage({ type: 'begun' } satisfies RecordingEvent);
    for (const [feed, bytes] of paid) {
      if (bytes > 0) feed.postMessage({ type: 'written', bytes } satisfies FeedAnswer);
    }
    this.#keyframer.advance();
    if (exit !== undefined) this.#end('exit');
  }

  #store(offset: number): void {
    this.#status.store({
      bytes: this.#file.bytes,
      offset,
      at: this.#encoder.at,
      missing: this.#missing,
      startedAt: this.#startedAt,
      size: this.#size,
    });
  }

  #encode(message: FeedMessage): string {
    const encoder = this.#encoder;
    if (message.type === 'begin') return this.#begin(message);
    const at = message.at - this.#startedAt;
    switch (message.type) {
      case 'output': {
        // A worker that took over sends again what the one before may have sent already.
        const fresh = message.bytes.subarray(Math.max(0, this.#next - message.offset));
        if (fresh.length === 0) return '';
        this.#next = message.offset + message.bytes.length;
        return encoder.output(at, fresh);
      }
      case 'gap':
        return this.#gap(at, message.to);
      case 'snapshot':
        if (message.sizes < this.#sizes) return '';
        this.#sizes = message.sizes;
        return this.#resize(at, message.size) + encoder.picture(at, message.bytes);
      case 'size':
        if (message.number < this.#sizes) return '';
        this.#sizes = message.number + 1;
        return this.#resize(at, message.size);
      case 'input':
        return encoder.input(at, message.bytes);
      case 'exit': {
        const status = exitStatusOf(message.exit);
        const last = encoder.outputBreak(at);
        return status === undefined
          ? last + encoder.marker(at, 'the terminal was ended')
          : last + encoder.exit(at, status);
      }
      default:
        return assertNever(message);
    }
  }

  #begin({ at, offset, size, sizes }: Extract<FeedMessage, { type: 'begin' }>): string {
    // What the worker before had said of sizes later in the log stays.
    const isNews = sizes >= this.#sizes;
    if (isNews) this.#sizes = sizes;
    if (this.#startedAt > 0) {
      const now = at - this.#startedAt;
      return this.#gap(now, offset) + (isNews ? this.#resize(now, size) : '');
    }
    const { terminal, epoch, title, termType, input } = this.#task;
    this.#startedAt = at;
    this.#next = offset;
    this.#size = size;
    return this.#encoder.header({
      size,
      termType,
      timestamp: Math.floor((Date.now() - (monotonicMs() - at)) / 1_000),
      title,
      holdfast: { terminal, epoch, offset, input },
    });
  }

  #resize(at: number, size: TerminalSize): string {
    if (size.rows === this.#size.rows && size.cols === this.#size.cols) return '';
    this.#size = size;
    return this.#encoder.resize(at, size);
  }

  #gap(at: number, to: number): string {
    const bytes = to - this.#next;
    if (bytes <= 0) return '';
    this.#missing += bytes;
    this.#next = to;
    this.#logger.warn('output is missing in a recording', { bytes });
    const label = `gap: ${String(bytes)} bytes of output are missing here`;
    return this.#encoder.outputBreak(at) + this.#encoder.marker(at, label);
  }

  /** There is no space, or the disk fails: the file says so, if need be in place of its last lines. */
  async #giveUp(reason: RecordingEndReason, error?: unknown): Promise<void> {
    for (const { message } of this.#waiting) this.#next = Math.max(this.#next, outputEnd(message));
    this.#missing = this.#status.missing + this.#next - this.#status.offset;
    this.#waiting.length = 0;
    this.#logger.warn('recording ended early', {
      reason,
      missing: this.#missing,
      ...(error === undefined ? {} : { error: toErrorRecord(error).message }),
    });
    // What was encoded and not written must not count: the file is as it was before.
    this.#encoder = new CastEncoder(this.#status.at);
    try {
      await this.#lastWords(reason);
    } catch {
      try {
        const dropped = await dropTail(this.#file);
        this.#missing += dropped.outputBytes;
        this.#encoder = new CastEncoder(Math.max(0, this.#status.at - dropped.ms));
        await this.#keyframer.shorten();
        await this.#lastWords(reason);
      } catch (last) {
        this.#logger.warn('a recording could not say why it ended', {
          error: toErrorRecord(last).message,
        });
      }
    }
    this.#store(this.#next);
    this.#end(reason);
  }

  async #lastWords(reason: RecordingEndReason): Promise<void> {
    const at = Math.max(this.#encoder.at, monotonicMs() - this.#startedAt);
    const bytes = String(this.#missing - this.#status.missing);
    const label = `recording ended: ${REASONS[reason] ?? reason}; ${bytes} bytes of output are missing here`;
    await this.#file.append(Buffer.from(this.#encoder.marker(at, label)));
  }

  #end(reason: RecordingEndReason): void {
    this.#isOver = true;
    this.#ended.resolve(reason);
  }
}

const REASONS: Partial<Record<RecordingEndReason, string>> = {
  limit: 'it is as long as it may be',
  quota: 'recordings take all the space they may have',
  'disk-full': 'the disk is full',
  'disk-error': 'the disk failed',
};

function costOf(message: FeedMessage): number {
  switch (message.type) {
    case 'output':
    case 'snapshot':
      return message.bytes.length;
    case 'input':
      return message.bytes.length + MESSAGE_BYTES;
    case 'size':
      return MESSAGE_BYTES;
    default:
      return 0;
  }
}

/** Log position behind the output in `message`; 0 if there is none. */
function outputEnd(message: FeedMessage): number {
  return message.type === 'output' ? message.offset + message.bytes.length : 0;
}

/** As a shell shows it. Absent: it is not known. */
function exitStatusOf(exit: ExitStatus): number | undefined {
  switch (exit.kind) {
    case 'status':
      return exit.status;
    case 'signal':
      return 128 + (osConstants.signals[exit.signal as NodeJS.Signals] ?? 0);
    case 'unknown':
      return undefined;
    default:
      return assertNever(exit);
  }
}
