import {
  Backoff,
  HoldfastError,
  limits,
  once,
  sleep,
  systemClock,
  toErrorRecord,
  type Clock,
  type ErrorRecord,
} from '../../../shared/common/index.js';
import { parseMetadata } from '../../../shared/common/wire/index.js';
import type { Dialed, DialLoop, DialLoopOptions, DialState, PeerListener } from './types.js';

/**
 * Starts to keep the agent reachable: dials, hands on offers until the listener ends, and dials again,
 * with a back-off that starts over after a stable minute. Returns before the first dial, and nothing
 * that goes wrong later ends it but `close`, which aborts dial and back-off at once.
 */
export function startDialLoop(options: DialLoopOptions): DialLoop {
  return new Loop(options);
}

class Loop implements DialLoop {
  readonly close: () => Promise<void>;
  readonly #options: DialLoopOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #abort = new AbortController();
  #state: DialState = 'dialing';
  #lastError: ErrorRecord | undefined;

  constructor(options: DialLoopOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = new Backoff({
      minMs: limits.DIAL_MIN_MS,
      maxMs: limits.DIAL_MAX_MS,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
    const running = this.#run();
    this.close = once(async () => {
      this.#abort.abort();
      await running;
    });
  }

  get state(): DialState {
    return this.#state;
  }

  get lastError(): ErrorRecord | undefined {
    return this.#lastError;
  }

  /** A loop, not a call of itself from its own end: an agent may lose its broker for ever and a day. */
  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const closing = (): boolean => signal.aborted;
    await Promise.resolve();
    while (!closing()) {
      try {
        await this.#dialAndServe(signal);
      } catch (error) {
        if (closing()) break;
        this.#lastError = toErrorRecord(error);
        this.#options.logger.warn('dial failed', { error });
      }
      if (closing()) break;
      this.#state = 'waiting';
      await sleep(this.#backoff.next(), signal, this.#clock).catch(() => undefined);
    }
    this.#state = 'closed';
  }

  /** Resolves when the listener has ended. */
  async #dialAndServe(signal: AbortSignal): Promise<void> {
    const { onDialed, onOffer, onRevoked, logger } = this.#options;
    this.#state = 'dialing';
    const { listener, ...dialed } = await this.#dial(signal);
    try {
      if (dialed.metadata === undefined || dialed.metadata === null)
        throw new HoldfastError('ERR_METADATA', 'the broker gave no metadata');
      const metadata = parseMetadata(dialed.metadata);
      this.#lastError = undefined;
      this.#state = 'connected';
      logger.info('listening for peers', { workspace: dialed.workspace });
      onDialed({ ...dialed, metadata });
      // Before the offers, lest one comes in by what has just been revoked.
      if (onRevoked !== undefined) listener.onRevoked?.(onRevoked);
      listener.onOffer(onOffer);
      const connected = this.#clock.now();
      await raceAbort(listener.closed, signal);
      if (this.#clock.now() - connected >= limits.DIAL_STABLE_MS) this.#backoff.reset();
    } finally {
      await closeQuietly(listener);
    }
  }

  /** A dialer that does not heed its signal must not hold up `close`; what it brings late is closed. */
  async #dial(signal: AbortSignal): Promise<Dialed> {
    const { dialer, logger } = this.#options;
    const dialing = dialer({ signal, logger });
    const dialed = await raceAbort(dialing, signal);
    if (dialed !== undefined) return dialed;
    void dialing.then(
      ({ listener }) => closeQuietly(listener),
      () => undefined,
    );
    throw new HoldfastError('ERR_CLOSED', 'dial given up');
  }
}

/** What `promise` yields, or nothing as soon as `signal` aborts. */
async function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let abort: (() => void) | undefined;
  const aborted = new Promise<undefined>((resolve) => {
    abort = () => {
      resolve(undefined);
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort);
  }
}

async function closeQuietly(listener: PeerListener): Promise<void> {
  await listener.close().catch(() => undefined);
}
