import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { HoldfastError, limits, toErrorRecord, type Logger } from '../../../shared/common/index.js';
import { rawFailure } from '../http-errors.js';
import { addressOf, type Sites, sourceOf } from '../auth/index.js';

/**
 * Decides about one upgrade. Rejects to refuse it before there is a WebSocket, or resolves to what to do
 * with the socket; `proven` is to be called once a credential was shown.
 */
export type UpgradeHandler = (
  request: IncomingMessage,
  path: string,
) => Promise<(socket: WebSocket, proven: () => void) => void>;

export interface UpgradesOptions {
  readonly server: Server;
  readonly sites: Sites;
  readonly signalling: UpgradeHandler;
  readonly relay: UpgradeHandler;
  readonly isRelay: (path: string) => boolean;
  readonly onRefused: (code: string) => void;
  readonly logger: Logger;
}

/** Fragments of one message; ours are sent in one piece, browsers cut at tens of kilobytes. */
const MAX_FRAGMENTS = 64;
/** Long enough for a slow reader of a relay to take the rest after the other side has closed. */
const RELAY_CLOSE_MS = 30_000;
const SIGNAL_CLOSE_MS = 1_000;

/**
 * The doors of all WebSockets. Compression is off (it costs memory per socket and leaks lengths), and
 * the sockets that have not shown a credential are counted per source.
 */
export class Upgrades {
  readonly #options: UpgradesOptions;
  readonly #signalling = webSockets(limits.SIGNAL_MESSAGE_BYTES, SIGNAL_CLOSE_MS);
  readonly #relay = webSockets(limits.RELAY_MESSAGE_BYTES, RELAY_CLOSE_MS);
  readonly #unproven = new Map<string, number>();
  #unprovenTotal = 0;
  readonly #sockets = new Set<Duplex>();
  #closing = false;
  #emptied: (() => void) | undefined;

  constructor(options: UpgradesOptions) {
    this.#options = options;
    options.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#upgrade(request, socket, head);
    });
  }

  /** Refuses from now on. */
  close(): void {
    this.#closing = true;
  }

  /** Resolves when no socket is left. For one caller. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#emptied = resolve;
      if (this.#sockets.size === 0) resolve();
    });
  }

  /** Destroys what has not closed by itself. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { sites, signalling, relay, isRelay, onRefused, logger } = this.#options;
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#emptied?.();
    });
    // Before ws takes over, and after it has let go.
    socket.on('error', () => undefined);
    let release: (() => void) | undefined;
    try {
      if (this.#closing) throw new HoldfastError('ERR_CLOSED', 'the broker is closing');
      sites.check(request);
      release = this.#enter(addressOf(request), socket);
      const path = pathOf(request);
      const relaying = isRelay(path);
      const use = await (relaying ? relay : signalling)(request, path);
      if (socket.destroyed) return;
      const server = relaying ? this.#relay : this.#signalling;
      const proven = release;
      server.handleUpgrade(request, socket, head, (webSocket) => {
        use(webSocket, proven);
      });
    } catch (error) {
      release?.();
      const record = toErrorRecord(error);
      onRefused(record.code);
      logger.info('upgrade refused', { error, source: addressOf(request) });
      socket.end(rawFailure(error));
      // A sender that never closes its half must not keep ours.
      socket.once('finish', () => socket.destroy());
    }
  }

  /** Counts a socket until it is proven or closed. @throws {HoldfastError} ERR_RATE_LIMITED. */
  #enter(address: string, socket: Duplex): () => void {
    const source = sourceOf(address);
    const count = this.#unproven.get(source) ?? 0;
    if (
      count >= limits.UNPROVEN_SOCKETS_PER_SOURCE ||
      this.#unprovenTotal >= limits.UNPROVEN_SOCKETS
    )
      throw new HoldfastError('ERR_RATE_LIMITED', 'too many connections wait to be identified');
    this.#unproven.set(source, count + 1);
    this.#unprovenTotal += 1;
    let inside = true;
    const leave = (): void => {
      if (!inside) return;
      inside = false;
      this.#unprovenTotal -= 1;
      const left = (this.#unproven.get(source) ?? 1) - 1;
      if (left === 0) this.#unproven.delete(source);
      else this.#unproven.set(source, left);
    };
    socket.once('close', leave);
    return leave;
  }
}

function webSockets(maxPayload: number, closeTimeout: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: 4 * MAX_FRAGMENTS,
    closeTimeout,
  } as ConstructorParameters<typeof WebSocketServer>[0]);
}

/** Without the query, which nothing here has a use for. */
function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}
