import {
  deferred,
  HoldfastError,
  type ByteChannel,
  type ErrorRecord,
} from '../../shared/common/index.js';
import { FramedConnection, type FramedTransport } from '../../shared/common/framing/index.js';
import { webSocketUrl, type Signalling } from './signalling.js';
import type { HandshakeBinding } from '../../shared/common/peer-auth/index.js';
import type { Link } from './types.js';

/** Largest WebSocket message; what is longer goes in several, since the relay carries a byte stream. */
const PIECE_BYTES = 32 * 1024;
/** A WebSocket does not say when its buffer empties, so it is looked at this often while it is not. */
const DRAIN_POLL_MS = 10;
/** Until the WebSocket of the relay stands. */
const RELAY_OPEN_MS = 10_000;

/**
 * Asks for a relayed connection and resolves when the pipe through the broker stands. `ticket` must be a
 * fresh one.
 * @throws {HoldfastError} what the broker said, ERR_PEER_TIMEOUT, ERR_CLOSED if `signal` aborts.
 */
export async function openRelayLink(
  signalling: Signalling,
  ticket: string,
  signal: AbortSignal,
): Promise<Link> {
  signalling.send({ type: 'relay', ticket });
  const { path } = await signalling.expect('relay', signal);
  const socket = new WebSocket(webSocketUrl(path));
  socket.binaryType = 'arraybuffer';
  const opened = deferred<undefined>();
  const fail = (error: HoldfastError): void => {
    opened.reject(error);
  };
  const timer = setTimeout(() => {
    fail(new HoldfastError('ERR_PEER_TIMEOUT', 'the relay did not answer'));
  }, RELAY_OPEN_MS);
  const onAbort = (): void => {
    fail(new HoldfastError('ERR_CLOSED', 'connecting was given up'));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  socket.addEventListener('open', () => {
    opened.resolve(undefined);
  });
  socket.addEventListener('close', () => {
    fail(new HoldfastError('ERR_PEER_LOST', 'the relay refused the connection'));
  });
  // Made before the socket is open, so that no message can come before somebody listens.
  const link = new RelayLink(socket);
  try {
    await opened.promise;
    link.start();
    return link;
  } catch (error) {
    socket.close();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** The framed engine over the broker's WebSocket pipe. Owns the socket. */
class RelayLink implements Link {
  readonly kind = 'relay';
  readonly #connection: FramedConnection;

  constructor(socket: WebSocket) {
    this.#connection = new FramedConnection({
      transport: webSocketTransport(socket, () => {
        this.#connection.drained();
      }),
      role: 'client',
    });
    socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (data instanceof ArrayBuffer) this.#connection.receive(new Uint8Array(data));
    });
    socket.addEventListener('close', () => {
      this.#connection.transportEnded({
        code: 'ERR_PEER_LOST',
        message: 'the relayed connection was cut',
      });
    });
  }

  start(): void {
    this.#connection.start();
  }

  get closed(): Promise<ErrorRecord> {
    return this.#connection.closed.then(
      ({ error }) => error ?? { code: 'ERR_PEER_LOST', message: 'the agent ended the connection' },
    );
  }

  binding(): HandshakeBinding {
    return this.#connection.binding();
  }

  openChannel(options: { label: string; protocol: string }): ByteChannel {
    return this.#connection.openChannel(options);
  }

  close(): void {
    void this.#connection.close();
  }
}

function webSocketTransport(socket: WebSocket, drained: () => void): FramedTransport {
  let polling = false;
  const poll = (): void => {
    setTimeout(() => {
      drained();
      if (socket.bufferedAmount > 0 && socket.readyState === WebSocket.OPEN) poll();
      else polling = false;
    }, DRAIN_POLL_MS);
  };
  return {
    write(bytes, written) {
      if (socket.readyState !== WebSocket.OPEN) return;
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        socket.send(bytes.subarray(at, at + PIECE_BYTES) as Uint8Array<ArrayBuffer>);
      }
      // The browser has copied them.
      written?.();
      if (!polling) {
        polling = true;
        poll();
      }
    },
    get pendingBytes() {
      return socket.bufferedAmount;
    },
    end: () => {
      socket.close(1000);
    },
    destroy: () => {
      socket.close();
    },
  };
}
