import { MessageChannel, type MessagePort } from 'node:worker_threads';
import {
  assertNever,
  deferred,
  limits,
  toErrorRecord,
  type ErrorRecord,
  type Logger,
  type TerminalId,
} from '../../../shared/common/index.js';
import type { RecordingEndReason, RecordingInfo } from '../../../shared/common/wire/index.js';
import {
  monotonicMs,
  RecordingStatus,
  type FaultKind,
  type RecordingCommand,
  type RecordingEvent,
  type RecordingRoom,
  type RecordingTask,
} from '../../../shared/node/ports/index.js';
import type { TerminalFacts, Terminals } from '../terminals/types.js';
import type { TaskPool } from '../worker-pool/index.js';

export interface ActiveRecordingOptions {
  readonly name: string;
  readonly terminal: TerminalId;
  readonly facts: TerminalFacts;
  readonly input: boolean;
  readonly folder: string;
  readonly maxBytes: number;
  readonly room: RecordingRoom;
  readonly pool: TaskPool;
  readonly terminals: Pick<Terminals, 'feed'>;
  readonly logger: Logger;
}

/** A recording that is being made: main's side of its task, and the tie between its two workers. */
export class ActiveRecording {
  readonly name: string;
  readonly terminal: TerminalId;
  readonly startedAt = new Date();
  /** When its file has its first line, or there will be none. Never rejects. */
  readonly begun: Promise<void>;
  /** When its file is complete, with how it ended. Never rejects. */
  readonly ended: Promise<RecordingEndReason>;
  /** When its index is complete, too. Never rejects. */
  readonly settled: Promise<void>;
  readonly #options: ActiveRecordingOptions;
  readonly #status = new RecordingStatus();
  readonly #begun = deferred<void>();
  readonly #ended = deferred<RecordingEndReason>();
  readonly #settled = deferred<void>();
  #port: MessagePort | undefined;
  #reason: RecordingEndReason | undefined;
  #stopping: Extract<RecordingCommand, { type: 'stop' }> | undefined;
  #losses = 0;

  constructor(options: ActiveRecordingOptions) {
    this.name = options.name;
    this.terminal = options.terminal;
    this.#options = options;
    this.begun = this.#begun.promise;
    this.ended = this.#ended.promise;
    this.settled = this.#settled.promise;
  }

  get info(): RecordingInfo {
    const { bytes, at, missing, startedAt } = this.#status;
    const reason = this.#reason;
    // A terminal that says nothing is recorded all the same.
    const running = startedAt === 0 ? 0 : Math.round(monotonicMs() - startedAt);
    return {
      name: this.name,
      terminal: this.terminal,
      state: reason === undefined ? 'recording' : 'ended',
      ...(reason === undefined ? {} : { reason }),
      bytes,
      durationMs: reason === undefined ? Math.max(at, running) : at,
      missing,
      startedAt: this.startedAt.toISOString(),
      input: this.#options.input,
    };
  }

  /** Space that it holds of the room of all, in bytes. */
  get reserved(): number {
    return this.#status.reserved;
  }

  /** Begins. @throws {HoldfastError} ERR_TERMINAL_NOT_FOUND. */
  start(): void {
    this.#run();
    this.#feed();
  }

  /** The terminal has another worker: that one shall go on. */
  moved(): void {
    if (this.#reason !== undefined || this.#stopping !== undefined) return;
    try {
      this.#feed();
    } catch {
      // The terminal has ended meanwhile; there is no more to come.
      this.stop('exit');
    }
  }

  /** Ends it; see `ended`. `total`: where the log of the terminal ended, if it did. */
  stop(reason: RecordingEndReason, total?: number): void {
    if (this.#stopping !== undefined || this.#reason !== undefined) return;
    this.#stopping = { type: 'stop', reason, total };
    this.#send(this.#stopping);
  }

  fault(kind: FaultKind): void {
    this.#send({ type: 'fault', kind });
  }

  /** Ties the worker of the terminal to that of the recording. */
  #feed(): void {
    const { terminals, input } = this.#options;
    const { port1, port2 } = new MessageChannel();
    const { startedAt, offset } = this.#status;
    let isFed = false;
    try {
      const from = startedAt === 0 ? {} : { from: offset };
      isFed = terminals.feed(this.terminal, port1, { input, ...from });
    } finally {
      if (!isFed) port1.close();
    }
    // Else `moved` will be called.
    if (isFed) this.#send({ type: 'feed', port: port2 }, port2);
  }

  #run(): void {
    const { facts, input, folder, maxBytes, room, pool, name, terminal } = this.#options;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on('message', (event: RecordingEvent) => {
      this.#receive(event);
    });
    const task: RecordingTask = {
      port: port2,
      folder,
      name,
      terminal,
      epoch: facts.epoch,
      title: facts.title,
      termType: facts.termType,
      size: facts.size,
      head: facts.bytes,
      input,
      isResumed: this.#losses > 0,
      maxBytes,
      room: room.shared,
      status: this.#status.shared,
    };
    const closed = new Promise<void>((resolve) => {
      port1.once('close', resolve);
    });
    pool.run(task, [port2]).then(
      async () => {
        // The result overtakes messages on the port; its close comes last.
        await closed;
        this.#finish(this.#reason ?? 'lost');
      },
      (error: unknown) => {
        port1.close();
        this.#lost(toErrorRecord(error));
      },
    );
  }

  #receive(event: RecordingEvent): void {
    switch (event.type) {
      case 'begun':
        this.#begun.resolve();
        return;
      case 'ended':
        this.#reason = event.reason;
        this.#ended.resolve(event.reason);
        return;
      case 'log': {
        const { level, message, fields } = event.record;
        this.#options.logger[level](message, fields);
        return;
      }
      default:
        assertNever(event);
    }
  }

  /** What wrote it died: another one goes on where the file ends, with what the terminal still has. */
  #lost(error: ErrorRecord): void {
    const { logger } = this.#options;
    this.#losses += 1;
    logger.warn('recording lost its worker', { recording: this.name, ...error });
    const isFinal = error.code !== 'ERR_WORKER_LOST' || this.#losses > limits.ADOPT_TRIES;
    if (isFinal || this.#reason !== undefined) {
      this.#finish(this.#reason ?? (error.code === 'ERR_CLOSED' ? 'closed' : 'lost'));
      return;
    }
    this.#run();
    if (this.#stopping === undefined) this.moved();
    else this.#send(this.#stopping);
  }

  #finish(reason: RecordingEndReason): void {
    this.#reason = reason;
    this.#port?.close();
    this.#port = undefined;
    this.#begun.resolve();
    this.#ended.resolve(reason);
    this.#settled.resolve();
  }

  #send(command: RecordingCommand, ...transfer: MessagePort[]): void {
    if (this.#port === undefined) for (const port of transfer) port.close();
    else this.#port.postMessage(command, transfer);
  }
}
