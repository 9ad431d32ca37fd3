import type { IncomingMessage } from 'node:http';
import { WebSocket, type RawData } from 'ws';
import {
  fromErrorRecord,
  HoldfastError,
  limits,
  systemClock,
  type Timer,
} from '../../../shared/common/index.js';
import {
  brokerToAgentSchema,
  httpErrorSchema,
  type AgentSignal,
  type BrokerToAgent,
} from '../../../shared/common/wire/index.js';

/** For the TCP, TLS and HTTP handshakes together. */
const HANDSHAKE_MS = 10_000;
const CLOSE_MS = 1_000;
/** More of an error answer is not worth reading. */
const ERROR_BODY_BYTES = 8 * 1024;
/** Metadata in JSON and UTF-8 may take several bytes for one of its characters. */
const MAX_MESSAGE_BYTES = 4 * limits.METADATA_BYTES;

export interface SocketHandlers {
  message(message: BrokerToAgent): void;
  /** Called once. The error is what ended it, unless the broker closed it properly. */
  end(error?: HoldfastError): void;
}

/** The open WebSocket to the broker, with messages checked both ways. */
export interface BrokerSocket {
  send(message: AgentSignal): void;
  /** Ends it; `end` is called soon after. */
  close(): void;
}

/**
 * Opens the agent's link.
 * @throws {HoldfastError} ERR_BROKER_UNREACHABLE, the code that the broker refused with, or ERR_CLOSED
 *   as soon as `signal` aborts.
 */
export function openBrokerSocket(
  url: string,
  token: string,
  signal: AbortSignal,
  handlers: SocketHandlers,
): Promise<BrokerSocket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new HoldfastError('ERR_CLOSED', 'dial given up'));
      return;
    }
    const socket = new WebSocket(url, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      closeTimeout: CLOSE_MS,
    } as WebSocket.ClientOptions);
    const abort = (): void => {
      reject(new HoldfastError('ERR_CLOSED', 'dial given up'));
      socket.terminate();
    };
    signal.addEventListener('abort', abort, { once: true });
    let error: HoldfastError | undefined;
    socket.on('unexpected-response', (request, response) => {
      void refusalOf(response).then((refusal) => {
        reject(refusal);
        request.destroy();
        socket.terminate();
      });
    });
    socket.on('error', (cause) => {
      error ??= new HoldfastError('ERR_BROKER_UNREACHABLE', cause.message || 'no connection', {
        cause,
      });
      reject(error);
    });
    socket.on('open', () => {
      signal.removeEventListener('abort', abort);
      const silence = watchSilence(socket, (reason) => {
        error ??= reason;
      });
      socket.on('message', (data, isBinary) => {
        try {
          handlers.message(parseMessage(data, isBinary));
        } catch (cause) {
          error ??= cause as HoldfastError;
          socket.terminate();
        }
      });
      socket.on('close', () => {
        silence.cancel();
        handlers.end(error);
      });
      resolve({
        send: (message) => {
          if (socket.readyState !== WebSocket.OPEN) return;
          socket.send(JSON.stringify(message));
          if (socket.bufferedAmount > limits.SIGNAL_QUEUE_BYTES) socket.terminate();
        },
        close: () => {
          socket.close(1000);
        },
      });
    });
    socket.on('close', () => {
      signal.removeEventListener('abort', abort);
      reject(error ?? new HoldfastError('ERR_BROKER_UNREACHABLE', 'the connection was closed'));
    });
  });
}

/** The broker pings every LINK_PING_MS; when three of those fail to come, the way to it is dead. */
function watchSilence(socket: WebSocket, onDead: (error: HoldfastError) => void): Timer {
  const clock = systemClock;
  let heard = clock.now();
  let timer: Timer;
  const hear = (): void => {
    heard = clock.now();
  };
  socket.on('ping', hear);
  socket.on('message', hear);
  const check = (): void => {
    if (clock.now() - heard > 3 * limits.LINK_PING_MS) {
      onDead(new HoldfastError('ERR_BROKER_UNREACHABLE', 'no sign of life from the broker'));
      socket.terminate();
      return;
    }
    timer = clock.after(limits.LINK_PING_MS, check);
  };
  timer = clock.after(limits.LINK_PING_MS, check);
  return {
    cancel: () => {
      timer.cancel();
    },
  };
}

function parseMessage(data: RawData, isBinary: boolean): BrokerToAgent {
  const text = isBinary ? '' : (data as Buffer).toString('utf8');
  try {
    return brokerToAgentSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new HoldfastError('ERR_PROTOCOL', 'the broker sent a malformed message', { cause });
  }
}

async function refusalOf(response: IncomingMessage): Promise<HoldfastError> {
  const status = response.statusCode ?? 0;
  let body = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      body += chunk as string;
      if (body.length > ERROR_BODY_BYTES) break;
    }
    const parsed = httpErrorSchema.safeParse(JSON.parse(body));
    if (parsed.success) return fromErrorRecord(parsed.data.error);
  } catch {
    // Not from a broker of ours; the status has to do.
  }
  return new HoldfastError(
    status === 401 ? 'ERR_UNAUTHORIZED' : 'ERR_BROKER_UNREACHABLE',
    `the broker answered with status ${String(status)}`,
  );
}
