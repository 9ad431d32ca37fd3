import type { Duplex } from 'node:stream';
import type { Connection } from 'ssh2';
import { limits, once, type Closable, type Logger } from '../../../shared/common/index.js';
import type { VerifiedPeer } from '../peers/types.js';
import type { SshConnectionInfo } from '../process/index.js';
import type { Authenticate } from './auth.js';
import { ConnectionLayer } from './connection-layer.js';
import { repairFirstGuess } from './first-guess.js';
import { PacketGuard } from './guard.js';
import {
  DISCONNECT,
  MESSAGE,
  PayloadWriter,
  protocolOf,
  sendDisconnect,
  sendPayload,
  type Ssh2Protocol,
} from './internals.js';
import type { SshServerOptions } from './types.js';

export interface ConnectionOptions {
  readonly server: SshServerOptions;
  readonly logger: Logger;
  readonly peer: VerifiedPeer;
  readonly stream: Duplex;
  readonly address: SshConnectionInfo;
  readonly authenticate: Authenticate;
}

/** How long a stream may take to send its last bytes after the end of its connection. */
const FAREWELL_MS = 1_000;
/**
 * One SSH connection: ssh2 does transport and authentication, and this is the connection layer of RFC 4254
 * on top. Ends its sessions' commands and its listeners when the client goes away for whatever reason.
 */
export class SshConnection implements Closable {
  /** Resolves when the client is gone and everything it had running has ended. Never rejects. */
  readonly closed: Promise<void>;
  readonly #options: ConnectionOptions;
  readonly #guard = new PacketGuard();
  #attached: Attached | undefined;
  #graceTimer: NodeJS.Timeout;
  #rekeyTimer: NodeJS.Timeout | undefined;
  #bytes = 0;
  #ended = false;
  #authenticated = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { stream } = options;
    this.#graceTimer = setTimeout(() => {
      this.#disconnect(DISCONNECT.BY_APPLICATION, 'authentication took too long');
    }, limits.SSH_AUTH_MS);
    stream.on('error', (error: Error) => {
      options.logger.info('an ssh connection broke', { error });
    });
    stream.on('drain', () => this.#attached?.layer.pump());
    this.closed = new Promise<void>((resolve) => {
      stream.once('close', resolve);
    }).then(() => this.#lost());
  }

  /** The client is in. */
  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** Takes over the client that ssh2 made for the stream, right after its identification line. */
  attach(client: Connection): void {
    const protocol = protocolOf(client);
    repairFirstGuess(protocol);
    const { logger, server, peer, address } = this.#options;
    const layer = new ConnectionLayer({
      server,
      logger,
      peer,
      address,
      protocol,
      isAlive: () => this.#isAlive(protocol),
      hasRoom: () => this.#hasRoom(protocol),
      sent: (bytes) => {
        this.#count(bytes);
      },
      violation: (text) => {
        this.#disconnect(DISCONNECT.PROTOCOL_ERROR, text);
      },
    });
    const attached: Attached = { client, protocol, layer };
    this.#attached = attached;
    client.on('error', (error: Error) => {
      this.#failed(error);
    });
    client.on('authentication', (context) => {
      layer.user = context.username;
      this.#options.authenticate(context);
    });
    client.once('ready', () => {
      clearTimeout(this.#graceTimer);
      this.#authenticated = true;
      logger.info('ssh client authenticated');
      this.#rekeyTimer = setInterval(() => {
        this.#rekey(attached);
      }, limits.SSH_REKEY_MS);
    });
    client.on('handshake', (negotiated) => {
      const strict = (protocol as { _strictMode?: boolean })._strictMode === true;
      // Without strict key exchange this cipher lets a man in the middle drop packets (Terrapin,
      // CVE-2023-48795); such a client has the AES modes to choose from.
      if (!strict && `${negotiated.cs.cipher}${negotiated.sc.cipher}`.includes('chacha20')) {
        this.#disconnect(DISCONNECT.PROTOCOL_ERROR, 'chacha20 needs strict key exchange');
      }
    });
    client.on('rekey', () => {
      this.#bytes = 0;
      layer.pump();
    });
    this.#guardPackets(attached);
  }

  /** Tells the client and ends the connection, its commands and its listeners. */
  readonly close = once(async () => {
    this.#disconnect(DISCONNECT.BY_APPLICATION, 'the agent is closing');
    await this.closed;
  });

  #isAlive(protocol: Ssh2Protocol): boolean {
    return !this.#ended && protocol._destruct !== undefined;
  }

  #hasRoom(protocol: Ssh2Protocol): boolean {
    // During a key exchange ssh2 would queue what is written, without any bound.
    return (
      this.#isAlive(protocol) &&
      protocol._kexinit === undefined &&
      this.#options.stream.writableLength < limits.SSH_QUEUE_BYTES
    );
  }

  #guardPackets(attached: Attached): void {
    const { client, protocol, layer } = attached;
    const inner = protocol._onPayload;
    protocol._onPayload = (payload) => {
      this.#count(payload.length);
      const { authenticated } = client as unknown as { authenticated: boolean };
      const verdict = this.#guard.inspect(payload, authenticated);
      switch (verdict.type) {
        case 'pass':
          layer.modes = verdict.modes;
          if ((protocol._queue?.length ?? 0) > limits.SSH_KEX_QUEUE_PACKETS) {
            const text = 'too much is waiting for the end of the key exchange';
            this.#disconnect(DISCONNECT.PROTOCOL_ERROR, text);
            return Infinity;
          }
          return inner(verdict.payload);
        case 'ignore':
          return undefined;
        case 'unknown':
          sendPayload(
            protocol,
            new PayloadWriter()
              .byte(MESSAGE.UNIMPLEMENTED)
              // ssh2 counts a packet before it hands it over.
              .uint32((protocol._decipher.inSeqno - 1) >>> 0)
              .finish(),
          );
          return undefined;
        case 'disconnect':
          this.#disconnect(verdict.reason, verdict.text);
          return Infinity;
      }
    };
  }

  /** Counts towards the next change of keys, in both directions. */
  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= (this.#options.server.rekeyBytes ?? limits.SSH_REKEY_BYTES)) return;
    this.#bytes = 0;
    // Not in the middle of a packet that is being taken in or put together.
    setImmediate(() => {
      if (this.#attached !== undefined) this.#rekey(this.#attached);
    });
  }

  /** ssh2 only answers a change of keys, it never begins one (RFC 4253 section 9). */
  #rekey({ client, protocol }: Attached): void {
    const { authenticated } = client as unknown as { authenticated: boolean };
    if (this.#ended || !authenticated || protocol._kexinit !== undefined) return;
    this.#bytes = 0;
    client.rekey();
    const timer = setTimeout(() => {
      this.#disconnect(DISCONNECT.PROTOCOL_ERROR, 'the key exchange took too long');
    }, limits.SSH_KEX_MS);
    client.once('rekey', () => {
      clearTimeout(timer);
    });
    void this.closed.finally(() => {
      clearTimeout(timer);
    });
  }

  #disconnect(reason: number, text: string): void {
    const { stream, logger } = this.#options;
    if (this.#ended) return;
    logger.info('ssh connection ended by the agent', { reason: text });
    if (this.#attached !== undefined) {
      const { protocol } = this.#attached;
      try {
        if (protocol._destruct !== undefined) sendDisconnect(protocol, reason, text);
      } catch (error) {
        logger.debug('the reason could not be sent', { error });
      }
      protocol._destruct?.('disconnect');
    }
    this.#finish(stream);
  }

  #failed(error: Error): void {
    if (this.#ended) return;
    this.#options.logger.info('ssh protocol error', { error });
    this.#finish(this.#options.stream);
  }

  /** Lets the last bytes go out, then ends the stream whatever the client does. */
  #finish(stream: Duplex): void {
    this.#ended = true;
    stream.end();
    stream.resume();
    const timer = setTimeout(() => {
      stream.destroy();
    }, FAREWELL_MS);
    stream.once('close', () => {
      clearTimeout(timer);
    });
  }

  /** The stream is closed. */
  async #lost(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#graceTimer);
    clearInterval(this.#rekeyTimer);
    await this.#attached?.layer.lost();
  }
}

interface Attached {
  readonly client: Connection;
  readonly protocol: Ssh2Protocol;
  readonly layer: ConnectionLayer;
}
