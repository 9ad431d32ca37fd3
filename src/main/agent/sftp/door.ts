import type { Logger } from '../../../shared/common/index.js';
import { HoldfastError, limits, once, toErrorRecord } from '../../../shared/common/index.js';
import { ChannelDuplex, PortChannel } from '../../../shared/node/ports/index.js';
import type { IncomingChannel } from '../peers/types.js';
import { serveSftp } from './session.js';

export interface SftpDoorOptions {
  readonly logger: Logger;
  /** Where relative names start: the folder of the workspace's sessions. */
  readonly directory: () => Promise<string>;
}

/**
 * Serves the channels of protocol `sftp`: the protocol as it is, with no SSH around it, for a peer that is
 * verified already. Made for the page, which has no SSH client.
 */
export class SftpDoor {
  readonly #options: SftpDoorOptions;
  readonly #ended = new AbortController();
  readonly #sessions = new Set<Promise<void>>();
  /** Sessions of each connection. */
  readonly #counts = new Map<string, number>();

  constructor(options: SftpDoorOptions) {
    this.#options = options;
  }

  /**
   * Serves one channel; takes over its port.
   * @throws {HoldfastError} ERR_FORBIDDEN, ERR_CHANNEL_LABEL, ERR_PEER_LIMIT; the port is untouched then.
   */
  serve({ peer, label, handle }: IncomingChannel): void {
    peer.permissions.require('sftp');
    if (label !== '') throw new HoldfastError('ERR_CHANNEL_LABEL', 'an sftp channel has no label');
    const { connectionId } = peer;
    const count = this.#counts.get(connectionId) ?? 0;
    if (count >= limits.SFTP_CHANNELS) {
      throw new HoldfastError('ERR_PEER_LIMIT', 'too many sftp channels of one connection');
    }
    this.#counts.set(connectionId, count + 1);
    const stream = new ChannelDuplex(new PortChannel(handle), {
      maxQueuedBytes: limits.SFTP_REPLY_BYTES + limits.SFTP_PACKET_BYTES,
    });
    const session = this.#run(stream).finally(() => {
      const left = (this.#counts.get(connectionId) ?? 1) - 1;
      if (left === 0) this.#counts.delete(connectionId);
      else this.#counts.set(connectionId, left);
      this.#sessions.delete(session);
    });
    this.#sessions.add(session);
  }

  readonly close = once(async () => {
    this.#ended.abort();
    await Promise.all(this.#sessions);
  });

  async #run(stream: ChannelDuplex): Promise<void> {
    const { logger, directory } = this.#options;
    // The session listens as well, but may end before the stream does.
    stream.on('error', () => undefined);
    try {
      await serveSftp(stream, { cwd: await directory(), logger, signal: this.#ended.signal });
      stream.destroy();
    } catch (error) {
      logger.debug('sftp channel ended', { ...toErrorRecord(error) });
      stream.destroy(error instanceof HoldfastError ? error : undefined);
    }
  }
}
