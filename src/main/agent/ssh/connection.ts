import type { Duplex } from 'node:stream';
import type { Connection } from 'ssh2';
import { limits, once, type Closable, type Logger } from '../../../shared/common/index.js';
import type { TerminalModes } from '../../../shared/node/pty/index.js';
import type { VerifiedPeer } from '../peers/types.js';
import type { SshConnectionInfo } from '../process/index.js';
import { openAgentForward } from './agent-forward.js';
import type { Authenticate } from './auth.js';
import type { SshChannel } from './channel.js';
import { ChannelTable, isUsable } from './channels.js';
import { Forwards, isForbidden, type OpenAnswer } from './forwards.js';
import { PacketGuard } from './guard.js';
import {
  DISCONNECT,
  MESSAGE,
  OPEN_FAILURE,
  PayloadWriter,
  protocolOf,
  sendDisconnect,
  sendPayload,
  type Ssh2Protocol,
} from './internals.js';
import { GlobalReplies } from './replies.js';
import { SshSession } from './session.js';
import type { SshServerOptions } from './types.js';

/** A channel that the client asks for, as ssh2 parsed it. */
interface OpenInfo {
  readonly type: string;
  readonly sender: number;
  readonly window: number;
  readonly packetSize: number;
  readonly data: {
    readonly destIP?: string;
    readonly destPort?: number;
    readonly socketPath?: string;
  };
}

/** Data of the global requests that are served, as ssh2 parsed it. */
interface GlobalData {
  readonly bindAddr: string;
  readonly bindPort: number;
  readonly socketPath: string;
}

export interface ConnectionOptions {
  readonly server: SshServerOptions;
  readonly logger: Logger;
  readonly peer: VerifiedPeer;
  readonly stream: Duplex;
  readonly authenticate: Authenticate;
}

/** How long a stream may take to send its last bytes after the end of its connection. */
const FAREWELL_MS = 1_000;
/** Refused opens after which a client is not confused but hostile. */
const MAX_REFUSED_OPENS = 1_024;

/**
 * Peers are reached through data channels, which have no addresses that mean anything, and none that a
 * peer states may be trusted. Programs only look whether the variables are there.
 */
const NO_ADDRESS: SshConnectionInfo = {
  clientAddress: '127.0.0.1',
  clientPort: 0,
  serverAddress: '127.0.0.1',
  serverPort: 22,
};

/**
 * One SSH connection: ssh2 does transport and authentication, and this is the connection layer of RFC 4254
 * on top. Ends its sessions' commands and its listeners when the client goes away for whatever reason.
 */
export class SshConnection implements Closable {
  /** Resolves when the client is gone and everything it had running has ended. Never rejects. */
  readonly closed: Promise<void>;
  readonly #options: ConnectionOptions;
  readonly #abort = new AbortController();
  readonly #sessions = new Map<SshChannel, SshSession>();
  readonly #work = new Set<Promise<void>>();
  readonly #guard = new PacketGuard();
  #attached: Attached | undefined;
  #graceTimer: NodeJS.Timeout;
  #rekeyTimer: NodeJS.Timeout | undefined;
  #bytes = 0;
  #refusedOpens = 0;
  #noMoreSessions = false;
  #modes: TerminalModes | undefined;
  #ended = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { stream } = options;
    this.#graceTimer = setTimeout(() => {
      this.#disconnect(DISCONNECT.BY_APPLICATION, 'authentication took too long');
    }, limits.SSH_AUTH_MS);
    stream.on('error', (error: Error) => {
      options.logger.info('an ssh connection broke', { error });
    });
    stream.on('drain', () => this.#attached?.channels.pump());
    this.closed = new Promise<void>((resolve) => {
      stream.once('close', resolve);
    }).then(() => this.#lost());
  }

  /** Takes over the client that ssh2 made for the stream, right after its identification line. */
  attach(client: Connection): void {
    const protocol = protocolOf(client);
    const channels = new ChannelTable({
      protocol,
      isAlive: () => !this.#ended && protocol._destruct !== undefined,
      hasRoom: () => this.#hasRoom(protocol),
      sent: (bytes) => {
        this.#count(bytes);
      },
    });
    const { logger, server, peer } = this.#options;
    const forwards = new Forwards({
      logger,
      permissions: peer.permissions,
      policy: server.forwarding ?? {},
      protocol,
      channels,
      signal: this.#abort.signal,
    });
    const replies = new GlobalReplies(protocol);
    const attached: Attached = { client, protocol, channels, forwards, replies };
    this.#attached = attached;
    client.on('error', (error: Error) => {
      this.#failed(error);
    });
    client.on('authentication', this.#options.authenticate);
    client.once('ready', () => {
      clearTimeout(this.#graceTimer);
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
      channels.pump();
    });
    this.#guardPackets(attached);
    this.#serveChannels(attached);
    this.#serveRequests(attached);
  }

  /** Tells the client and ends the connection, its commands and its listeners. */
  readonly close = once(async () => {
    this.#disconnect(DISCONNECT.BY_APPLICATION, 'the agent is closing');
    await this.closed;
  });

  #hasRoom(protocol: Ssh2Protocol): boolean {
    // During a key exchange ssh2 would queue what is written, without any bound.
    return (
      !this.#ended &&
      protocol._kexinit === undefined &&
      protocol._destruct !== undefined &&
      this.#options.stream.writableLength < limits.SSH_QUEUE_BYTES
    );
  }

  #guardPackets(attached: Attached): void {
    const { client, protocol } = attached;
    const inner = protocol._onPayload;
    protocol._onPayload = (payload) => {
      this.#count(payload.length);
      const { authenticated } = client as unknown as { authenticated: boolean };
      const verdict = this.#guard.inspect(payload, authenticated);
      switch (verdict.type) {
        case 'pass':
          this.#modes = verdict.modes;
          if ((protocol._queue?.length ?? 0) > limits.SSH_KEX_QUEUE_PACKETS) {
            return this.#violation('too much is waiting for the end of the key exchange');
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

  #serveChannels(attached: Attached): void {
    const { protocol, channels } = attached;
    const handlers = protocol._handlers;
    const withChannel =
      (use: (channel: SshChannel, ...fields: never[]) => void) =>
      (_protocol: Ssh2Protocol, recipient: number, ...fields: never[]): void => {
        const channel = channels.get(recipient);
        // RFC 4254 section 5.3: numbers are only valid between open and close.
        if (channel === undefined) this.#violation(`there is no channel ${String(recipient)}`);
        else use(channel, ...fields);
      };
    handlers['CHANNEL_OPEN'] = (_protocol, info: OpenInfo) => {
      this.#open(info, attached);
    };
    handlers['CHANNEL_OPEN_CONFIRMATION'] = (
      _protocol,
      info: OpenInfo & { readonly recipient: number },
    ) => {
      if (!channels.confirmed(info.recipient, info)) this.#violation('nothing to confirm');
    };
    handlers['CHANNEL_OPEN_FAILURE'] = (_protocol, recipient: number) => {
      if (!channels.refused(recipient)) this.#violation('nothing to refuse');
    };
    handlers['CHANNEL_DATA'] = withChannel((channel, data: Buffer) => {
      if (!channel.receive(data)) this.#violation('more data than the window allows');
    });
    handlers['CHANNEL_EXTENDED_DATA'] = withChannel((channel, data: Buffer) => {
      // RFC 4254 section 5.2 has no such data from a client; what costs window must still be counted.
      if (!channel.receive(data)) this.#violation('more data than the window allows');
    });
    handlers['CHANNEL_WINDOW_ADJUST'] = withChannel((channel, bytes: number) => {
      if (!channel.adjust(bytes)) this.#violation('a window beyond 2^32-1');
    });
    handlers['CHANNEL_EOF'] = withChannel((channel) => {
      channel.receiveEof();
    });
    handlers['CHANNEL_CLOSE'] = withChannel((channel) => {
      channel.receiveClose();
    });
    handlers['CHANNEL_REQUEST'] = withChannel(
      (channel, type: string, wantReply: boolean, data: unknown) => {
        const session = this.#sessions.get(channel);
        const granted = session?.request(type, data, this.#modes) ?? false;
        if (!wantReply || channel.gone) return;
        if (granted) protocol.channelSuccess(channel.remoteId);
        else protocol.channelFailure(channel.remoteId);
      },
    );
    // We ask for no answers.
    handlers['CHANNEL_SUCCESS'] = () => undefined;
    handlers['CHANNEL_FAILURE'] = () => undefined;
  }

  #open(info: OpenInfo, attached: Attached): void {
    const { channels, forwards } = attached;
    const refuse = (reason: number, text: string): void => {
      attached.protocol.channelOpenFail(info.sender, reason, text);
      this.#refusedOpens += 1;
      if (this.#refusedOpens > MAX_REFUSED_OPENS) this.#violation('too many refused channels');
    };
    if (!isUsable(info)) {
      refuse(OPEN_FAILURE.RESOURCE_SHORTAGE, 'packets of that size cannot be sent');
    } else if (info.type === 'session') {
      this.#openSession(info, attached, refuse);
    } else if (info.type !== 'direct-tcpip' && info.type !== 'direct-streamlocal@openssh.com') {
      refuse(OPEN_FAILURE.UNKNOWN_TYPE, 'unknown type of channel');
    } else if (!channels.reserve()) {
      refuse(OPEN_FAILURE.RESOURCE_SHORTAGE, 'too many channels');
    } else {
      const { destIP = '', destPort = 0, socketPath = '' } = info.data;
      const answer = this.#answer(info, attached, refuse);
      this.#track(
        info.type === 'direct-tcpip'
          ? forwards.direct(destIP, destPort, answer)
          : forwards.directSocket(socketPath, answer),
      );
    }
  }

  #openSession(
    info: OpenInfo,
    attached: Attached,
    refuse: (reason: number, text: string) => void,
  ): void {
    const { server, peer, logger } = this.#options;
    const { protocol, channels } = attached;
    if (this.#noMoreSessions) {
      refuse(OPEN_FAILURE.PROHIBITED, 'no more sessions were announced');
      return;
    }
    if (this.#sessions.size >= limits.SSH_SESSIONS || channels.size >= limits.SSH_CHANNELS) {
      refuse(OPEN_FAILURE.RESOURCE_SHORTAGE, 'too many sessions');
      return;
    }
    const channel = channels.accept(info);
    const session = new SshSession(channel, {
      server,
      logger: logger.child({ channel: channel.localId }),
      permissions: peer.permissions,
      ssh: NO_ADDRESS,
      openAgentForward: () =>
        openAgentForward(() =>
          channels.open((id, window, packet) => {
            protocol.openssh_authAgent(id, window, packet);
          }),
        ),
    });
    this.#sessions.set(channel, session);
    channel.once('remote-close', () => {
      this.#sessions.delete(channel);
      // Its command may take seconds to end; whoever closes the connection waits for that too.
      this.#track(session.end());
    });
  }

  #answer(
    info: OpenInfo,
    attached: Attached,
    refuse: (reason: number, text: string) => void,
  ): OpenAnswer {
    let answered = false;
    return {
      accept: () => {
        answered = true;
        attached.channels.release();
        return attached.channels.accept(info);
      },
      refuse: (error) => {
        if (answered) return;
        attached.channels.release();
        this.#options.logger.info('a forward was refused', { error });
        if (this.#ended) return;
        const reason = isForbidden(error) ? OPEN_FAILURE.PROHIBITED : OPEN_FAILURE.CONNECT_FAILED;
        refuse(reason, error instanceof Error ? error.message : 'failed');
      },
    };
  }

  #serveRequests({ protocol, replies, forwards }: Attached): void {
    protocol._handlers['GLOBAL_REQUEST'] = (
      _protocol,
      name: string,
      wantReply: boolean,
      data: GlobalData,
    ) => {
      const reply = wantReply
        ? replies.reserve()
        : { succeed: () => undefined, fail: () => undefined };
      if (reply === undefined) {
        this.#violation('too many requests are waiting for an answer');
        return;
      }
      switch (name) {
        case 'tcpip-forward':
          this.#track(forwards.listen(data.bindAddr, data.bindPort, reply));
          return;
        case 'cancel-tcpip-forward':
          forwards.cancel(`${data.bindAddr}:${String(data.bindPort)}`, reply);
          return;
        case 'streamlocal-forward@openssh.com':
          this.#track(forwards.listenSocket(data.socketPath, reply));
          return;
        case 'cancel-streamlocal-forward@openssh.com':
          forwards.cancel(data.socketPath, reply);
          return;
        case 'no-more-sessions@openssh.com':
          this.#noMoreSessions = true;
          reply.succeed();
          return;
        default:
          // Keepalives too: any answer shows that we live.
          reply.fail();
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
    this.closed.finally(() => {
      clearTimeout(timer);
    });
  }

  #violation(text: string): number {
    this.#disconnect(DISCONNECT.PROTOCOL_ERROR, text);
    return Infinity;
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

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#options.logger.warn('ssh work failed', { error });
      })
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  /** The stream is closed. Not channel by channel: a channel with unread data would keep its command. */
  async #lost(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#graceTimer);
    clearInterval(this.#rekeyTimer);
    this.#abort.abort();
    const sessions = [...this.#sessions.values()];
    this.#attached?.channels.lost();
    await Promise.all([this.#attached?.forwards.close(), ...sessions.map((one) => one.end())]);
    while (this.#work.size > 0) await Promise.all(this.#work);
  }
}

interface Attached {
  readonly client: Connection;
  readonly protocol: Ssh2Protocol;
  readonly channels: ChannelTable;
  readonly forwards: Forwards;
  readonly replies: GlobalReplies;
}
