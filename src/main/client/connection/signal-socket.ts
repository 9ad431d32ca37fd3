import { WebSocket } from 'ws';
import {
  deferred,
  fromErrorRecord,
  HoldfastError,
  limits,
  type AbortOptions,
} from '../../../shared/common/index.js';
import {
  brokerToClientSchema,
  type BrokerToClient,
  type ClientSignal,
} from '../../../shared/common/wire/index.js';

export interface SignalSocketOptions extends AbortOptions {
  /** `wss://broker/api/v1/connect`. */
  readonly url: string;
  readonly onMessage: (message: BrokerToClient) => void;
}

/** The client's side of signalling: schema-checked JSON over a WebSocket. */
export class SignalSocket {
  readonly #socket: WebSocket;
  readonly #open = deferred<undefined>();
  readonly #failed = deferred<never>();
  #closed = false;

  constructor({ url, onMessage, signal }: SignalSocketOptions) {
    this.#failed.promise.catch(() => undefined);
    this.#open.promise.catch(() => undefined);
    this.#socket = new WebSocket(url, {
      perMessageDeflate: false,
      handshakeTimeout: limits.PEER_AUTH_MS,
      maxPayload: limits.SIGNAL_MESSAGE_BYTES,
    });
    const onAbort = (): void => {
      this.#fail(new HoldfastError('ERR_CLOSED', 'connecting was given up'));
    };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#socket.on('open', () => {
      this.#open.resolve(undefined);
    });
    this.#socket.on('message', (data: Buffer, isBinary) => {
      if (!this.#closed) this.#receive(isBinary ? undefined : data.toString(), onMessage);
    });
    this.#socket.on('error', (error) => {
      this.#fail(
        new HoldfastError('ERR_BROKER_UNREACHABLE', `signalling: ${error.message}`, {
          cause: error,
        }),
      );
    });
    this.#socket.on('close', () => {
      signal?.removeEventListener('abort', onAbort);
      this.#fail(new HoldfastError('ERR_BROKER_UNREACHABLE', 'the broker ended the signalling'));
    });
  }

  /** Resolves when messages can be sent. @throws {HoldfastError} ERR_BROKER_UNREACHABLE, ERR_CLOSED. */
  get opened(): Promise<unknown> {
    return this.#open.promise;
  }

  /** Rejects when the exchange has failed; never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  send(message: ClientSignal): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** What has been connected lives on. */
  close(): void {
    this.#closed = true;
    if (this.#socket.readyState === this.#socket.CONNECTING) this.#socket.terminate();
    else this.#socket.close(1000);
  }

  #receive(text: string | undefined, onMessage: (message: BrokerToClient) => void): void {
    let value: unknown;
    try {
      value = JSON.parse(text ?? '');
    } catch {
      value = undefined;
    }
    const message = brokerToClientSchema.safeParse(value);
    if (!message.success) {
      this.#fail(new HoldfastError('ERR_PROTOCOL', 'the broker sent a malformed message'));
    } else if (message.data.type === 'error') {
      this.#fail(fromErrorRecord(message.data.error));
    } else if (message.data.type === 'end') {
      this.#fail(new HoldfastError('ERR_PEER_LOST', 'the agent ended the exchange'));
    } else {
      onMessage(message.data);
    }
  }

  #fail(error: HoldfastError): void {
    this.#open.reject(error);
    this.#failed.reject(error);
    if (!this.#closed) this.close();
  }
}
