import { randomBytes } from 'node:crypto';
import {
  deferred,
  fromErrorRecord,
  once,
  type Closable,
  type Epoch,
  type ErrorCode,
  type ErrorRecord,
  type TerminalId,
} from '../../../shared/common/index.js';
import {
  createTerminalClient,
  type TerminalClient,
  type TerminalClientState,
} from '../../../shared/common/terminal-client/index.js';
import type { ExitStatus, Pace, TerminalSize } from '../../../shared/common/wire/index.js';
import type { LoadFigures } from '../figures/index.js';
import { LineChecker, type LineCheckerOptions, type LineFault } from '../lines/index.js';
import type { Peer } from '../peers/index.js';

/** The end of a connection says nothing of the terminal: whoever holds the connection tells of it. */
const OF_THE_CONNECTION: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_PEER_LOST',
  'ERR_CHANNEL_CLOSED',
  'ERR_CLOSED',
]);

export interface ViewerOptions {
  readonly id: TerminalId;
  /** Of the terminal that was created: another one in its place is not attached to. */
  readonly epoch: Epoch;
  readonly peer: Peer;
  readonly figures: LoadFigures;
  readonly size: TerminalSize;
  readonly pace: Pace | undefined;
  /** Only looks in, and does not type. */
  readonly isVisitor: boolean;
  /** What the terminal prints, and where. Absent: nothing that is known. */
  readonly lines: Pick<LineCheckerOptions, 'pattern' | 'start'> | undefined;
  /** Called with all output, which stays the viewer's. */
  readonly onOutput?: ((bytes: Uint8Array) => void) | undefined;
  /** The terminal has ended, and this viewer got all of its output or was told what it missed. */
  readonly onExit: (exit: ExitStatus) => void;
  /**
   * Its attach has started a terminal in place of the one that there was.
   * @param before Why it had to attach again.
   */
  readonly onReplaced: (before: ErrorRecord | undefined) => void;
}

/** One viewer of one terminal, who holds all that he gets against what was printed. */
export class Viewer implements Closable {
  readonly #options: ViewerOptions;
  readonly #client: TerminalClient;
  readonly #checker: LineChecker | undefined;
  readonly #attached = deferred<undefined>();
  #openedAt = 0;
  #wasAttached = false;
  #isClosed = false;
  #lostAt: number | undefined;
  #lostBy: ErrorRecord | undefined;
  #exit: ExitStatus | undefined;

  constructor(options: ViewerOptions) {
    const { id, epoch, peer, figures, size, pace, lines } = options;
    this.#options = options;
    this.#attached.promise.catch(() => undefined);
    this.#checker =
      lines &&
      new LineChecker({
        ...lines,
        onFault: (fault, offset, sample) => {
          this.#faulty(fault, offset, sample);
        },
      });
    this.#client = createTerminalClient({
      openChannel: async (label) => {
        const channel = await peer.openChannel(label, 'terminal', () => !this.#isClosed);
        this.#openedAt = performance.now();
        return channel;
      },
      id,
      epoch,
      size,
      wantsType: !options.isVisitor,
      clientId: randomBytes(16),
      settings: options.isVisitor ? {} : { pace },
      handlers: {
        output: (bytes, { offset }) => {
          figures.counts.receivedBytes += bytes.length;
          if (this.#checker !== undefined) {
            figures.counts.checkedBytes += bytes.length;
            this.#checker.push(bytes, offset);
          }
          options.onOutput?.(bytes);
          this.#client.processed(bytes.length);
        },
        // A screen is none of the log.
        snapshot: (bytes) => {
          this.#client.processed(bytes.length);
        },
        gap: (from, to) => {
          figures.counts.statedGaps += 1;
          figures.counts.statedBytes += to - from;
          this.#checker?.interrupted();
        },
        exit: (exit) => {
          this.#exit = exit;
        },
        error: (error) => {
          this.#failing(error);
        },
        state: (state) => {
          this.#changed(state);
        },
      },
    });
  }

  /** Begins to attach. */
  start(): void {
    this.#client.start();
  }

  /** Resolves after the first attach. @throws {HoldfastError} if it cannot be attached at all. */
  get attached(): Promise<undefined> {
    return this.#attached.promise;
  }

  get isAttached(): boolean {
    return this.#client.state.type === 'attached';
  }

  /** How the terminal ended, as this viewer heard. Absent: he has not. */
  get exit(): ExitStatus | undefined {
    return this.#exit;
  }

  /** False: it was not taken. */
  type(bytes: Uint8Array): boolean {
    return this.#client.input(bytes);
  }

  resize(size: TerminalSize): void {
    this.#client.resize(size);
  }

  readonly close = once(async () => {
    this.#isClosed = true;
    await this.#client.close();
    this.#attached.resolve(undefined);
  });

  #changed(state: TerminalClientState): void {
    const { figures, onExit, onReplaced } = this.#options;
    switch (state.type) {
      case 'connecting':
      case 'closed':
        return;
      case 'attached':
        if (state.created) {
          onReplaced(this.#lostBy);
          return;
        }
        if (!this.#wasAttached) figures.latencies.attach.record(performance.now() - this.#openedAt);
        else if (this.#lostAt !== undefined)
          figures.latencies.resume.record(performance.now() - this.#lostAt);
        this.#wasAttached = true;
        this.#lostAt = undefined;
        this.#attached.resolve(undefined);
        return;
      case 'reconnecting':
        this.#lostAt ??= performance.now();
        this.#lostBy = state.error;
        this.#failing(state.error);
        return;
      case 'exited':
        this.#checker?.interrupted();
        this.#attached.resolve(undefined);
        onExit(state.exit);
        return;
      case 'failed':
        this.#failing(state.error);
        this.#attached.reject(fromErrorRecord(state.error));
        return;
      default:
        state satisfies never;
    }
  }

  #failing({ code, message }: ErrorRecord): void {
    if (!OF_THE_CONNECTION.has(code)) this.#options.figures.error(code, message);
  }

  #faulty(fault: LineFault, offset: number, sample: Uint8Array): void {
    const { figures, id } = this.#options;
    const where = `${id} at byte ${String(offset)}`;
    const text = JSON.stringify(Buffer.from(sample).toString('latin1').slice(0, 60));
    switch (fault.kind) {
      case 'lost':
        figures.fault('lostBytes', fault.bytes, `${where}: ${String(fault.bytes)} bytes lost`);
        return;
      case 'doubled':
        figures.fault('doubledBytes', fault.bytes, `${where}: ${String(fault.bytes)} bytes twice`);
        return;
      case 'corrupt':
        figures.fault('corruptLines', fault.lines, `${where}: not as printed: ${text}`);
        return;
      default:
        fault satisfies never;
    }
  }
}
