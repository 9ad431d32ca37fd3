import { finished, type Duplex, type Readable, type Writable } from 'node:stream';

import {
  assertNever,
  deferred,
  HoldfastError,
  limits,
  type Logger,
} from '../../../shared/common/index.js';
import { Accounts } from './accounts.js';
import { failJob, type Context, type Job } from './context.js';
import { extendedJob, versionReply } from './extensions.js';
import { closeJob, fstatJob, MAX_DATA_BYTES, openJob, readJob, writeJob } from './files.js';
import { opendirJob, readdirJob } from './folders.js';
import { Framer, type PacketSource } from './framer.js';
import { Handles } from './handles.js';
import { Names } from './names.js';
import {
  mkdirJob,
  readlinkJob,
  realpathJob,
  removeJob,
  renameJob,
  rmdirJob,
  statJob,
  symlinkJob,
} from './paths.js';
import { STATUS } from './protocol.js';
import { Replies } from './replies.js';
import { decodeRequest, type Request } from './requests.js';
import { movedFile, Scheduler } from './scheduler.js';
import { fsetstatJob, setstatJob } from './setstat.js';
import { SpareBuffers } from './spare-buffers.js';
import { failureReply, isExpectedFailure } from './status.js';

export interface SftpOptions {
  /** Absolute; where relative names start. */
  readonly cwd: string;
  /** Refuses everything that changes a file, a folder or an attribute. Absent: false. */
  readonly readOnly?: boolean;
  /**
   * This process serves nothing else, as OpenSSH's sftp-server does, so files are read and written on its own
   * thread: to hand 128 KiB to the pool and hear of it costs more than to copy them. Absent: false.
   */
  readonly ownProcess?: boolean;
  readonly logger: Logger;
  /** Ends the session at once: what is at work ends, what waits is dropped. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Serves SFTP version 3 on `stream` until the client ends it, then ends the stream. The stream stays
 * its owner's: it is not destroyed here. A request that fails gets a status and harms nothing else.
 *
 * Resolves when the client has ended or `signal` aborted, and every handle is closed.
 * @throws {HoldfastError} ERR_PROTOCOL or ERR_MESSAGE_TOO_LARGE, after all handles are closed, if a
 * packet was malformed; it is logged as well.
 */
export function serveSftp(stream: Duplex, options: SftpOptions): Promise<void> {
  return serveStreams({ stream }, stream, options);
}

/** Requests as they come in. */
export interface SftpInput {
  /** Paused while there is no room for more. */
  readonly stream: Readable;
  /**
   * What is read from it, in memory that is used again: a packet is only valid until the next is taken or the
   * function given to `arrived` has returned. Absent: the stream emits 'data'.
   */
  readonly inPlace?:
    | {
        readonly packets: PacketSource;
        /** Says whom to call when more has come. */
        arrived(listener: () => void): void;
      }
    | undefined;
}

/** As {@link serveSftp}, for the two directions apart. */
export function serveStreams(
  input: SftpInput,
  output: Writable,
  options: SftpOptions,
): Promise<void> {
  return new Session(input, output, options).run();
}

/**
 * `serving`: requests come in. `draining`: the client sent its end; what it asked before is still
 * answered. `ended`: nothing is answered any more.
 */
type State = 'serving' | 'draining' | 'ended';

class Session {
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #options: SftpOptions;
  readonly #context: Context;
  readonly #inPlace: SftpInput['inPlace'];
  readonly #spare: SpareBuffers | undefined;
  readonly #framer = new Framer();
  readonly #packets: PacketSource;
  readonly #replies: Replies;
  readonly #scheduler: Scheduler;
  readonly #ended = new AbortController();
  #state: State = 'serving';
  #greeted = false;
  /** Bytes of requests that were taken and not answered. */
  #taken = 0;
  /** The last read or write at work of each file, by the file's key: resolves when it is answered. */
  readonly #lastOf = new Map<string, Promise<undefined>>();
  #requests = 0;
  #failure: HoldfastError | undefined;
  #onDone: () => void = () => undefined;

  constructor({ stream, inPlace }: SftpInput, output: Writable, options: SftpOptions) {
    this.#input = stream;
    this.#inPlace = inPlace;
    this.#packets = inPlace?.packets ?? this.#framer;
    this.#output = output;
    this.#options = options;
    this.#spare = options.ownProcess === true ? new SpareBuffers() : undefined;
    this.#context = {
      names: new Names(options.cwd),
      handles: new Handles(limits.SFTP_HANDLES),
      accounts: new Accounts(),
      spare: this.#spare,
      readOnly: options.readOnly ?? false,
      logger: options.logger,
      ended: this.#ended.signal,
    };
    this.#replies = new Replies(output, limits.SFTP_REPLY_BYTES, () => {
      this.#scheduler.pump();
      if (this.#spare !== undefined) this.#advance();
    });
    this.#scheduler = new Scheduler({
      parallel: limits.SFTP_PARALLEL,
      room: (bytes) => this.#replies.room(bytes),
      onEnd: () => this.#advance(),
    });
  }

  async run(): Promise<void> {
    const { logger, signal } = this.#options;
    const input = this.#input;
    const onData = (chunk: Buffer): void => {
      this.#framer.push(chunk);
      this.#advance();
    };
    const onEnd = (): void => {
      if (this.#state === 'serving') this.#state = 'draining';
      this.#advance();
    };
    const onInputClose = (): void => {
      if (this.#state === 'serving') this.#end();
    };
    const onLost = (): void => this.#end();
    const done = new Promise<void>((resolve) => (this.#onDone = resolve));
    if (this.#inPlace === undefined) input.on('data', onData);
    else this.#inPlace.arrived(() => this.#advance());
    input.on('end', onEnd).on('close', onInputClose).on('error', onLost);
    this.#output.on('close', onLost).on('error', onLost);
    signal?.addEventListener('abort', onLost, { once: true });
    if (signal?.aborted === true || input.destroyed || this.#output.destroyed) this.#end();
    logger.debug('sftp session started', { readOnly: this.#context.readOnly });

    await done;
    await this.#context.handles.closeAll();
    await this.#endOutput();

    input.off('data', onData).off('end', onEnd).off('close', onInputClose);
    this.#output.off('close', onLost);
    signal?.removeEventListener('abort', onLost);
    logger.debug('sftp session ended', { requests: this.#requests });
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Takes what requests there is room for, then says how the input goes on. */
  #advance(): void {
    // What is answered at once goes out in one piece.
    this.#output.cork();
    try {
      while (this.#mayTake()) {
        const packet = this.#packets.next();
        if (packet === undefined) break;
        this.#accept(packet);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#output.uncork();
    if (this.#state === 'serving') {
      if (this.#mayTake()) this.#input.resume();
      else this.#input.pause();
    } else if (this.#scheduler.size === 0 || this.#isQuiet()) {
      this.#onDone();
    }
  }

  #mayTake(): boolean {
    return (
      this.#state !== 'ended' &&
      this.#scheduler.size < limits.SFTP_OUTSTANDING &&
      this.#taken < limits.SFTP_REQUEST_BYTES &&
      // What is not taken needs no copy, and is done at once when its turn comes.
      (this.#spare === undefined || this.#replies.room(MAX_DATA_BYTES))
    );
  }

  #isQuiet(): boolean {
    return this.#state === 'ended' && this.#scheduler.running === 0;
  }

  #accept(packet: Buffer): void {
    const request = decodeRequest(packet);
    if (request.type === 'init') {
      if (this.#greeted) throw new HoldfastError('ERR_PROTOCOL', 'second sftp init');
      this.#greeted = true;
      this.#replies.send(versionReply(this.#context.readOnly));
      return;
    }
    if (!this.#greeted) throw new HoldfastError('ERR_PROTOCOL', 'sftp request before init');
    this.#requests += 1;
    const now = this.#nowIfNext(request);
    if (now !== undefined) {
      this.#performNow(request.id, now);
      return;
    }
    // It waits for its turn, which the memory of a packet that lies in place does not.
    const kept = this.#inPlace === undefined ? request : decodeRequest(Buffer.from(packet));
    if (kept.type === 'init') return;
    const job = plan(this.#context, kept);
    this.#taken += packet.length;
    this.#scheduler.add(job.access, job.replyBytes, () =>
      this.#perform(kept.id, job, packet.length),
    );
  }

  /** How to do a request that waits for no other. Absent: it takes its turn. */
  #nowIfNext(request: Exclude<Request, { type: 'init' }>): Job['now'] {
    if (this.#spare === undefined || this.#scheduler.size > 0) return undefined;
    // To plan one of the others takes effect, and is done once.
    if (request.type !== 'read' && request.type !== 'write') return undefined;
    const { now, replyBytes } = plan(this.#context, request);
    return this.#replies.room(replyBytes) ? now : undefined;
  }

  #performNow(id: number, now: () => Buffer): void {
    let reply: Buffer;
    try {
      reply = now();
    } catch (error) {
      reply = this.#failed(id, error);
    }
    this.#send(reply);
  }

  #failed(id: number, error: unknown): Buffer {
    if (!isExpectedFailure(error)) {
      this.#options.logger.error('sftp request failed unexpectedly', { error });
    }
    return failureReply(id, error);
  }

  #send(reply: Buffer): void {
    this.#replies.send(reply, (packet) => this.#spare?.give(packet));
  }

  /**
   * Runs `job` and answers it. Reads and writes of one file are answered in the order in which they were
   * asked: the protocol does not demand it, but where replies overtake each other OpenSSH's client (9.2)
   * cuts a download short, and truncates an upload whose data has all arrived, both with status 0. They
   * start in that order, so the wait is for what is already at work.
   */
  async #perform(id: number, job: Job, requestBytes: number): Promise<void> {
    const key = movedFile(job.access);
    const answered = deferred<undefined>();
    const before = key === undefined ? undefined : this.#lastOf.get(key);
    if (key !== undefined) this.#lastOf.set(key, answered.promise);
    this.#replies.promise(job.replyBytes);
    let reply: Buffer;
    try {
      reply = await job.run();
    } catch (error) {
      reply = this.#failed(id, error);
    }
    await before;
    this.#replies.release(job.replyBytes);
    this.#taken -= requestBytes;
    if (this.#state !== 'ended') this.#send(reply);
    answered.resolve(undefined);
    if (key !== undefined && this.#lastOf.get(key) === answered.promise) this.#lastOf.delete(key);
  }

  #fail(error: unknown): void {
    this.#failure =
      error instanceof HoldfastError
        ? error
        : new HoldfastError('ERR_INTERNAL', 'sftp session failed', { cause: error });
    const { code, message } = this.#failure;
    this.#options.logger.warn('sftp session ended by a bad packet', { code, message });
    this.#end();
  }

  #end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#ended.abort();
    this.#scheduler.drop();
    this.#input.pause();
    if (this.#isQuiet()) this.#onDone();
  }

  /** Ends the output, and waits until the client took everything unless nobody waits for it. */
  async #endOutput(): Promise<void> {
    if (this.#output.destroyed || this.#output.writableEnded) return;
    this.#output.end();
    if (this.#state === 'ended') return;
    await new Promise<void>((resolve) => {
      const onAbort = (): void => resolve();
      this.#options.signal?.addEventListener('abort', onAbort, { once: true });
      finished(this.#output, { readable: false }, () => {
        this.#options.signal?.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }
}

/** Makes a request ready. Handles are looked up now, so that a later CLOSE does not take them away. */
function plan(context: Context, request: Exclude<Request, { type: 'init' }>): Job {
  switch (request.type) {
    case 'open':
      return openJob(context, request);
    case 'close':
      return closeJob(context, request);
    case 'read':
      return readJob(context, request);
    case 'write':
      return writeJob(context, request);
    case 'fstat':
      return fstatJob(context, request);
    case 'fsetstat':
      return fsetstatJob(context, request);
    case 'opendir':
      return opendirJob(context, request);
    case 'readdir':
      return readdirJob(context, request);
    case 'stat':
    case 'lstat':
      return statJob(context, request);
    case 'setstat':
      return setstatJob(context, request);
    case 'remove':
      return removeJob(context, request);
    case 'mkdir':
      return mkdirJob(context, request);
    case 'rmdir':
      return rmdirJob(context, request);
    case 'realpath':
      return realpathJob(context, request);
    case 'rename':
      return renameJob(context, request);
    case 'readlink':
      return readlinkJob(context, request);
    case 'symlink':
      return symlinkJob(context, request);
    case 'extended':
      return extendedJob(context, request);
    case 'unknown':
      return failJob(STATUS.OP_UNSUPPORTED);
    default:
      return assertNever(request);
  }
}
