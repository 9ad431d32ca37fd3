import { HoldfastError, toErrorRecord, type Logger } from '../../../shared/common/index.js';
import { PortChannel } from '../../../shared/node/ports/index.js';
import type { IncomingChannel } from '../peers/types.js';

/** What a share link is for. The scopes say so as well; this holds for protocols that are yet to come. */
const SHARED: ReadonlySet<string> = new Set(['terminal', 'reconnecting-pty']);

/** Takes over a channel: its port is the handler's from here on. Throws to have it refused. */
export type ChannelHandler = (channel: IncomingChannel) => void;

/**
 * Sends each channel to whoever serves its protocol; a new protocol is a new entry. Unknown ones are
 * closed with a logged reason, where the original left them open for ever.
 */
export class ChannelRouter {
  readonly #handlers: ReadonlyMap<string, ChannelHandler>;
  readonly #logger: Logger;

  constructor(handlers: Readonly<Record<string, ChannelHandler>>, logger: Logger) {
    this.#handlers = new Map(Object.entries(handlers));
    this.#logger = logger;
  }

  /** Never throws. */
  route(channel: IncomingChannel): void {
    const { protocol, peer } = channel;
    const handler = this.#handlers.get(protocol);
    try {
      if (handler === undefined) {
        throw new HoldfastError('ERR_UNKNOWN_PROTOCOL', `no such protocol: ${protocol}`);
      }
      if (peer.share !== undefined && !SHARED.has(protocol)) {
        throw new HoldfastError('ERR_FORBIDDEN', 'a share link opens terminals only');
      }
      this.#logger.debug('channel opened', { connectionId: peer.connectionId, protocol });
      handler(channel);
    } catch (error) {
      const record = toErrorRecord(error);
      this.#logger.warn('channel refused', { connectionId: peer.connectionId, ...record });
      const port = new PortChannel(channel.handle);
      port.start({ message: () => undefined, credit: () => undefined, end: () => undefined });
      port.close(record);
    }
  }
}
