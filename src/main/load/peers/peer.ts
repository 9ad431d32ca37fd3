import { setMaxListeners } from 'node:events';
import {
  Backoff,
  HoldfastError,
  limits,
  once,
  sleep,
  toErrorRecord,
  type ByteChannel,
  type Closable,
  type ErrorCode,
} from '../../../shared/common/index.js';
import { LinkKeeper, type WorkspaceLink } from '../../cli/index.js';
import type { LoadFigures } from '../figures/index.js';
import { RateGate } from './rate-gate.js';
import { Slots } from './slots.js';

/** Below CHANNEL_OPENS_PER_SECOND of the agent, which would refuse more. */
const OPENS_PER_SECOND = 160;
/** Below CONTROL_REQUESTS, so that whoever asks in between is not refused. */
const REQUESTS_AT_ONCE = limits.CONTROL_REQUESTS - 4;
/** How a request ends when its connection does. */
const LOST: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['ERR_PEER_LOST', 'ERR_CHANNEL_CLOSED']);
/** An agent that is there, and has more to do than it can. */
const BUSY: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['ERR_PEER_TIMEOUT', ...LOST]);
/** A handshake that is not answered takes some ten seconds to say so. */
const CONNECT_ATTEMPTS = 3;
const REQUEST_ATTEMPTS = 20;
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 5_000;

export interface PeerOptions {
  readonly open: (signal: AbortSignal) => Promise<WorkspaceLink>;
  readonly figures: LoadFigures;
  /** Ends all waits. */
  readonly signal: AbortSignal;
}

/**
 * One connection to the agent, opened anew when it is lost, on demand. Keeps within what an agent lets one
 * peer do: so an error of the agent is one, not a load that nobody would make.
 */
export class Peer implements Closable {
  readonly #options: PeerOptions;
  readonly #links: LinkKeeper;
  readonly #closed = new AbortController();
  /** Ends all waits: of the load, or of this connection. */
  readonly #signal: AbortSignal;
  readonly #opens = new RateGate(OPENS_PER_SECOND);
  readonly #requests = new Slots(REQUESTS_AT_ONCE);
  readonly #retries = new Backoff({ minMs: RETRY_MIN_MS, maxMs: RETRY_MAX_MS });
  #current: WorkspaceLink | undefined;
  #failed = false;
  #hasConnected = false;
  #cut = false;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#closed.signal]);
    setMaxListeners(0, this.#signal);
    this.#links = new LinkKeeper(() => this.#open());
  }

  /** Whether a connection stands. */
  get connected(): boolean {
    return this.#current !== undefined;
  }

  /** The connection that stands, or the next one. @throws {HoldfastError} as whatever opens it does. */
  link(): Promise<WorkspaceLink> {
    return this.#links.get();
  }

  /**
   * Opens a channel when it is its turn, if it is still wanted then: the channel of a terminal starts a shell
   * where there is none, even if it is closed at once.
   * @throws {HoldfastError} ERR_CLOSED, also if it is not wanted any more; or what connecting does.
   */
  async openChannel(
    label: string,
    protocol: string,
    isWanted: () => boolean = () => true,
  ): Promise<ByteChannel> {
    await this.#opens.pass(this.#signal);
    const link = await this.#links.get();
    if (!isWanted()) throw new HoldfastError('ERR_CLOSED', 'not wanted any more');
    return link.openChannel({ label, protocol });
  }

  /**
   * Asks something on the control channel when it is its turn; again on the next connection if this one is
   * lost before the answer. So only what may be asked twice, unless `again` does it another way then.
   */
  request<T>(
    ask: (link: WorkspaceLink) => Promise<T>,
    again: (link: WorkspaceLink) => Promise<T> = ask,
  ): Promise<T> {
    return this.#requests.run(async () => {
      for (let attempt = 1; ; attempt += 1) {
        const link = await this.#linkAgain();
        try {
          return await (attempt === 1 ? ask : again)(link);
        } catch (error) {
          const isLost = LOST.has(toErrorRecord(error).code);
          if (!isLost || this.#signal.aborted || attempt === REQUEST_ATTEMPTS) throw error;
          // Until then it would be handed out again.
          await link.closed;
        }
      }
    });
  }

  /** Cuts the connection as a network would. False: there is none at the moment. */
  cut(): boolean {
    if (this.#current === undefined) return false;
    this.#cut = true;
    this.#current.cut();
    return true;
  }

  readonly close = once(async () => {
    this.#closed.abort();
    await this.#links.close();
  });

  /** The connection that stands, or the next one; where one could be made before, a busy agent is asked again. */
  async #linkAgain(): Promise<WorkspaceLink> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#links.get();
      } catch (error) {
        const { code, message } = toErrorRecord(error);
        const mayPass = this.#hasConnected && BUSY.has(code) && !this.#signal.aborted;
        if (!mayPass || attempt === CONNECT_ATTEMPTS) throw error;
        this.#options.figures.error(code, message);
      }
    }
  }

  async #open(): Promise<WorkspaceLink> {
    const { open, figures } = this.#options;
    if (this.#failed) await sleep(this.#retries.next(), this.#signal);
    const start = performance.now();
    let link: WorkspaceLink;
    try {
      link = await open(this.#signal);
    } catch (error) {
      this.#failed = true;
      throw error;
    }
    this.#failed = false;
    this.#hasConnected = true;
    this.#retries.reset();
    this.#cut = false;
    this.#current = link;
    figures.latencies.connect.record(performance.now() - start);
    void link.closed.then(({ error }) => {
      this.#current = undefined;
      if (!this.#cut && !this.#signal.aborted)
        figures.error(error?.code ?? 'ERR_PEER_LOST', error?.message ?? 'the agent said goodbye');
    });
    return link;
  }
}

/** Whether an error only says that the load is being ended. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || toErrorRecord(error).code === 'ERR_CLOSED';
}
