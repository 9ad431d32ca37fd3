import {
  deferred,
  fromErrorRecord,
  HoldfastError,
  limits,
  type ErrorRecord,
} from '../../shared/common/index.js';
import {
  brokerToClientSchema,
  SIGNALLING_VERSION,
  type BrokerToClient,
  type ClientSignal,
} from '../../shared/common/wire/index.js';

/** An address of this origin as WebSocket. */
export function webSocketUrl(path: string): string {
  const url = new URL(path, location.href);
  if (url.origin !== location.origin) {
    throw new HoldfastError('ERR_PROTOCOL', 'the broker names an address elsewhere');
  }
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/**
 * The signalling WebSocket of one connection attempt. Owns the socket.
 */
export class Signalling {
  readonly #socket: WebSocket;
  readonly #ended = deferred<ErrorRecord>();
  readonly #handlers = new Set<(message: BrokerToClient) => void>();
  readonly #queue: BrokerToClient[] = [];

  /** Connects and states the ticket; what the broker says is heard through {@link listen}. */
  constructor(ticket: string) {
    this.#socket = new WebSocket(webSocketUrl('/api/v1/connect'));
    this.#socket.addEventListener('open', () => {
      this.send({ type: 'open', version: SIGNALLING_VERSION, ticket });
    });
    this.#socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      this.#receive(data);
    });
    this.#socket.addEventListener('close', ({ code, reason }) => {
      const detail = reason === '' ? `code ${String(code)}` : reason;
      this.#ended.resolve({
        code: 'ERR_BROKER_UNREACHABLE',
        message: `the broker closed the signalling link (${detail})`,
      });
    });
  }

  /** Resolves when the link has ended or the broker reported an error. */
  get ended(): Promise<ErrorRecord> {
    return this.#ended.promise;
  }

  /** Hears messages from now on, and those that nobody has heard yet. Returns how to stop. */
  listen(handler: (message: BrokerToClient) => void): () => void {
    this.#handlers.add(handler);
    for (const message of this.#queue.splice(0)) handler(message);
    return () => {
      this.#handlers.delete(handler);
    };
  }

  /**
   * The next message of this type.
   * @throws {HoldfastError} what the broker said instead, ERR_CLOSED if `signal` aborts.
   */
  async expect<T extends BrokerToClient['type']>(
    type: T,
    signal: AbortSignal,
  ): Promise<Extract<BrokerToClient, { type: T }>> {
    const found = deferred<Extract<BrokerToClient, { type: T }>>();
    const stop = this.listen((message) => {
      if (message.type === type) found.resolve(message as Extract<BrokerToClient, { type: T }>);
    });
    const onAbort = (): void => {
      found.reject(new HoldfastError('ERR_CLOSED', 'connecting was given up'));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([
        found.promise,
        this.#ended.promise.then((error) => Promise.reject(fromErrorRecord(error))),
      ]);
    } finally {
      stop();
      signal.removeEventListener('abort', onAbort);
    }
  }

  send(message: ClientSignal): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  close(): void {
    this.#socket.close();
  }

  #receive(data: unknown): void {
    const message =
      typeof data === 'string' && data.length <= limits.SIGNAL_MESSAGE_BYTES
        ? brokerToClientSchema.safeParse(parseJson(data))
        : undefined;
    if (message?.success !== true) {
      this.#ended.resolve({ code: 'ERR_PROTOCOL', message: 'the broker sent an unknown message' });
      this.close();
      return;
    }
    if (message.data.type === 'error') {
      const { code, message: text } = message.data.error;
      const error = fromErrorRecord({ code, message: text });
      this.#ended.resolve({ code: error.code, message: error.message });
      return;
    }
    if (this.#handlers.size === 0) this.#queue.push(message.data);
    for (const handler of [...this.#handlers]) handler(message.data);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
