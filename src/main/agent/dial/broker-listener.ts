import {
  assertNever,
  deferred,
  type HoldfastError,
  limits,
  once,
  type Logger,
} from '../../../shared/common/index.js';
import type { BrokerToAgent } from '../../../shared/common/wire/index.js';
import type { BrokerSocket } from './broker-socket.js';
import { Exchange } from './exchange.js';
import type { PeerListener, PeerOffer } from './types.js';

/** Offers held until somebody wants them. */
const EARLY_OFFERS = 64;
/** What a relay address looks like: anything else must not get the agent's token. */
const RELAY_PATH = /^\/api\/v1\/relay\/[A-Za-z0-9_-]{43}$/;

export interface BrokerListenerOptions {
  /** `ws:` or `wss:`, without a path. */
  readonly relayOrigin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

/** Offers that come over one link to the broker. Ends with the link. */
export class BrokerListener implements PeerListener {
  readonly closed: Promise<void>;
  readonly close: () => Promise<void>;
  readonly #options: BrokerListenerOptions;
  readonly #ended = deferred<void>();
  /** One per session; with a relay after a direct attempt there are two, the relay's being last. */
  readonly #sessions = new Map<string, Exchange[]>();
  readonly #early: PeerOffer[] = [];
  #earlyRevoked: string[] = [];
  #socket: BrokerSocket | undefined;
  #handler: ((offer: PeerOffer) => void) | undefined;
  #revokedHandler: ((shares: readonly string[]) => void) | undefined;

  constructor(options: BrokerListenerOptions) {
    this.#options = options;
    this.closed = this.#ended.promise;
    this.close = once(async () => {
      this.#socket?.close();
      await this.closed;
    });
  }

  /** Begins; called once the broker has welcomed the agent. */
  use(socket: BrokerSocket): void {
    this.#socket = socket;
  }

  onOffer(handler: (offer: PeerOffer) => void): void {
    this.#handler = handler;
    for (const offer of this.#early.splice(0)) handler(offer);
  }

  onRevoked(handler: (shares: readonly string[]) => void): void {
    this.#revokedHandler = handler;
    const early = this.#earlyRevoked;
    this.#earlyRevoked = [];
    if (early.length > 0) handler(early);
  }

  receive(message: Exclude<BrokerToAgent, { type: 'welcome' }>): void {
    switch (message.type) {
      case 'offer': {
        const { session, ticket, sdp, iceServers } = message;
        const exchange = this.#openExchange(session);
        this.#offer({ kind: 'webrtc', session, ticket, sdp, iceServers, exchange });
        return;
      }
      case 'relay': {
        const { session, ticket, path } = message;
        for (const direct of this.#sessions.get(session) ?? []) direct.supersede();
        const exchange = this.#openExchange(session);
        if (!RELAY_PATH.test(path)) {
          exchange.end({ code: 'ERR_PROTOCOL', message: 'not a relay address' });
          return;
        }
        const { relayOrigin, headers } = this.#options;
        this.#offer({ kind: 'relay', session, ticket, url: relayOrigin + path, headers, exchange });
        return;
      }
      case 'candidate':
        for (const exchange of this.#sessions.get(message.session) ?? [])
          exchange.receive(message.candidate);
        return;
      case 'end': {
        const exchanges = this.#sessions.get(message.session) ?? [];
        this.#sessions.delete(message.session);
        for (const exchange of exchanges) exchange.remoteEnded('client');
        return;
      }
      case 'revoked':
        if (this.#revokedHandler !== undefined) this.#revokedHandler(message.shares);
        else if (this.#earlyRevoked.length < limits.SHARES_REVOKED)
          this.#earlyRevoked.push(...message.shares);
        return;
      case 'error':
        // The broker closes the link next, and the loop dials again.
        this.#options.logger.warn('broker ended the link', {
          code: message.error.code,
          reason: message.error.message,
        });
        return;
      default:
        assertNever(message);
    }
  }

  /** The link is gone: nothing can come any more. Connections that stand live on. */
  linkEnded(error: HoldfastError | undefined): void {
    this.#options.logger.info('link to the broker ended', { error });
    const exchanges = [...this.#sessions.values()].flat();
    this.#sessions.clear();
    this.#early.length = 0;
    for (const exchange of exchanges) exchange.remoteEnded('broker');
    this.#ended.resolve();
  }

  #openExchange(session: string): Exchange {
    const exchange = new Exchange(
      session,
      (message) => this.#socket?.send(message),
      () => this.#sessions.delete(session),
    );
    this.#sessions.set(session, [...(this.#sessions.get(session) ?? []), exchange]);
    return exchange;
  }

  #inProgress(): number {
    const sessions = [...this.#sessions.values()];
    return sessions.filter((exchanges) => !exchanges.some(({ isStanding }) => isStanding)).length;
  }

  #offer(offer: PeerOffer): void {
    if (this.#inProgress() > limits.SIGNAL_SESSIONS || this.#early.length >= EARLY_OFFERS) {
      offer.exchange.end({ code: 'ERR_PEER_LIMIT', message: 'too many offers at once' });
      return;
    }
    if (this.#handler === undefined) this.#early.push(offer);
    else this.#handler(offer);
  }
}
