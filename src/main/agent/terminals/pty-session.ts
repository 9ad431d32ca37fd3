import { MessageChannel } from 'node:worker_threads';
import { deferred, once, type TerminalId, type ViewerId } from '../../../shared/common/index.js';
import type { ExitStatus, TerminalSize } from '../../../shared/common/wire/index.js';
import { DEFAULT_PORT_CREDIT } from '../../../shared/node/ports/index.js';
import { ResumableChannel } from './resumable-channel.js';
import type { TerminalHandleOptions } from './handle-options.js';
import { TerminalHandle } from './terminal-handle.js';
import type { PtyCommand, PtySession, SessionChannel } from './types.js';

/** How long an ended session may wait for its SSH client to take the last output. */
const PATIENCE_MS = 1_000;

export interface PtySessionOptions extends Omit<
  TerminalHandleOptions,
  'id' | 'replays' | 'pace' | 'sizePolicy' | 'onViewers' | 'onExited'
> {
  readonly id: TerminalId;
  nextViewer(): ViewerId;
}

/**
 * A PTY of an SSH session: a terminal of its own with one lossless viewer that is registered before the
 * first byte is read.
 */
export class TerminalSession implements PtySession {
  readonly exited: Promise<ExitStatus>;
  readonly #handle: TerminalHandle;
  readonly #channel: ResumableChannel;
  readonly #exited = deferred<ExitStatus>();
  readonly #options: PtySessionOptions;

  constructor(options: PtySessionOptions) {
    this.#options = options;
    this.exited = this.#exited.promise;
    this.#handle = new TerminalHandle({
      ...options,
      replays: false,
      pace: 'slowest',
      sizePolicy: 'latest',
      onViewers: () => undefined,
      onExited: () => false,
      onMoved: () => {
        this.#connect();
      },
    });
    this.#channel = new ResumableChannel(() => this.#handle.rawInput);
  }

  get pid(): number {
    return this.#handle.pid;
  }
  get channel(): SessionChannel {
    return this.#channel;
  }

  /** @throws {HoldfastError} ERR_SPAWN. */
  async start(command: PtyCommand): Promise<void> {
    await this.#handle.start(command, { awaitsViewer: true });
    this.#connect();
    void this.#handle.closed.then(async () => {
      // The end of the bytes came over the port before this; only a given-up terminal has none.
      this.#channel.giveUp();
      this.#exited.resolve(await this.#handle.processExited);
    });
  }

  resize(size: TerminalSize): void {
    this.#handle.resize(size);
  }

  signal(signal: NodeJS.Signals): void {
    this.#handle.signal(signal);
  }

  sendBreak(): boolean {
    return this.#handle.sendBreak();
  }

  readonly close = once(() => this.#handle.end(PATIENCE_MS, { all: false }));

  /** As `close`, and ends what ignores the hang-up: the agent itself goes. */
  endAll(): Promise<void> {
    return this.#handle.end(PATIENCE_MS, { all: true });
  }

  #connect(): void {
    const { port1, port2 } = new MessageChannel();
    this.#handle.attach(
      {
        viewer: this.#options.nextViewer(),
        protocol: 'raw',
        subject: 'ssh',
        mayType: true,
        isOwner: true,
        created: true,
        size: this.#handle.size,
        offset: this.#channel.received,
      },
      { port: port2, credit: DEFAULT_PORT_CREDIT },
    );
    this.#channel.connect({ port: port1, credit: DEFAULT_PORT_CREDIT });
  }
}
