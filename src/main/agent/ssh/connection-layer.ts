import { limits, type Logger } from '../../../shared/common/index.js';
import type { TerminalModes } from '../../../shared/node/pty/index.js';
import type { VerifiedPeer } from '../peers/types.js';
import type { SshConnectionInfo } from '../process/index.js';
import { openAgentForward } from './agent-forward.js';
import type { SshChannel } from './channel.js';
import { ChannelTable, isUsable } from './channels.js';
import { Forwards, isForbidden, type OpenAnswer } from './forwards.js';
import { OPEN_FAILURE, type Ssh2Protocol } from './internals.js';
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

type Refuse = (reason: number, text: string) => void;

export interface ConnectionLayerOptions {
  readonly server: SshServerOptions;
  readonly logger: Logger;
  readonly peer: VerifiedPeer;
  /** For SSH_CONNECTION and SSH_CLIENT. */
  readonly address: SshConnectionInfo;
  readonly protocol: Ssh2Protocol;
  /** False once the connection is ending: nothing may be handed to the protocol any more. */
  readonly isAlive: () => boolean;
  /** Whether the connection takes another packet of data now. */
  readonly hasRoom: () => boolean;
  /** Data that went out, for counting. */
  readonly sent: (bytes: number) => void;
  /** The client broke the protocol: the connection ends. */
  readonly violation: (text: string) => void;
}

/** Refused opens after which a client is not confused but hostile. */
const MAX_REFUSED_OPENS = 1_024;

/**
 * The connection layer of RFC 4254 for one client: channels, channel requests and global requests, in
 * place of ssh2's (see internals.ts for why).
 */
export class ConnectionLayer {
  readonly #options: ConnectionLayerOptions;
  readonly #channels: ChannelTable;
  readonly #forwards: Forwards;
  readonly #replies: GlobalReplies;
  readonly #sessions = new Map<SshChannel, SshSession>();
  readonly #work = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #refusedOpens = 0;
  #noMoreSessions = false;
  #modes: TerminalModes | undefined;
  /** The SSH user name that the client has given last. */
  user = '';

  constructor(options: ConnectionLayerOptions) {
    const { protocol, peer, logger, server } = options;
    this.#options = options;
    this.#channels = new ChannelTable(options);
    this.#replies = new GlobalReplies(protocol);
    this.#forwards = new Forwards({
      logger,
      permissions: peer.permissions,
      policy: server.forwarding ?? {},
      protocol,
      channels: this.#channels,
      signal: this.#abort.signal,
    });
    this.#serveChannels();
    this.#serveRequests();
  }

  /** Modes that were taken out of the packet which the protocol is about to hand over. */
  set modes(modes: TerminalModes | undefined) {
    this.#modes = modes;
  }

  /** Sends what waits. Call when the connection may have room again. */
  pump(): void {
    this.#channels.pump();
  }

  /**
   * The client is gone: ends its commands and listeners, and resolves when they have. Not channel by
   * channel: one with unread data would keep its command.
   */
  async lost(): Promise<void> {
    this.#abort.abort();
    const sessions = [...this.#sessions.values()];
    this.#channels.lost();
    await Promise.all([this.#forwards.close(), ...sessions.map((session) => session.end())]);
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  #serveChannels(): void {
    const { protocol, violation } = this.#options;
    const channels = this.#channels;
    const handlers = protocol._handlers;
    const withChannel =
      (use: (channel: SshChannel, ...fields: never[]) => void) =>
      (_protocol: Ssh2Protocol, recipient: number, ...fields: never[]): void => {
        const channel = channels.get(recipient);
        // RFC 4254 section 5.3: numbers are only valid between open and close.
        if (channel === undefined) violation(`there is no channel ${String(recipient)}`);
        else use(channel, ...fields);
      };
    handlers['CHANNEL_OPEN'] = (_protocol, info: OpenInfo) => {
      this.#open(info);
    };
    handlers['CHANNEL_OPEN_CONFIRMATION'] = (
      _protocol,
      info: OpenInfo & { readonly recipient: number },
    ) => {
      if (!channels.confirmed(info.recipient, info)) violation('nothing to confirm');
    };
    handlers['CHANNEL_OPEN_FAILURE'] = (_protocol, recipient: number) => {
      if (!channels.refused(recipient)) violation('nothing to refuse');
    };
    handlers['CHANNEL_DATA'] = withChannel((channel, data: Buffer) => {
      if (!channel.receive(data)) violation('more data than the window allows');
    });
    handlers['CHANNEL_EXTENDED_DATA'] = withChannel((channel, data: Buffer) => {
      // RFC 4254 section 5.2 has no such data from a client; what costs window must still be counted.
      if (!channel.receive(data)) violation('more data than the window allows');
    });
    handlers['CHANNEL_WINDOW_ADJUST'] = (_protocol, recipient: number, bytes: number) => {
      // Not a violation where there is no channel: paramiko answers our CLOSE at once while a reader of its own
      // still grants window, and OpenSSH (channels.c, channel_input_window_adjust) passes over that too.
      const channel = channels.get(recipient);
      if (channel?.adjust(bytes) === false) violation('a window beyond 2^32-1');
    };
    handlers['CHANNEL_EOF'] = withChannel((channel) => {
      channel.receiveEof();
    });
    handlers['CHANNEL_CLOSE'] = withChannel((channel) => {
      channel.receiveClose();
    });
    handlers['CHANNEL_REQUEST'] = withChannel(
      (channel, type: string, wantReply: boolean, data: unknown) => {
        const answer = (granted: boolean): void => {
          if (!wantReply || channel.gone) return;
          if (granted) protocol.channelSuccess(channel.remoteId);
          else protocol.channelFailure(channel.remoteId);
        };
        const session = this.#sessions.get(channel);
        if (session === undefined) answer(false);
        else if (!session.take({ type, data, modes: this.#modes }, answer))
          violation('too many requests are waiting for an answer');
      },
    );
    // We ask for no answers.
    handlers['CHANNEL_SUCCESS'] = () => undefined;
    handlers['CHANNEL_FAILURE'] = () => undefined;
  }

  #open(info: OpenInfo): void {
    const { protocol, violation } = this.#options;
    const refuse: Refuse = (reason, text) => {
      protocol.channelOpenFail(info.sender, reason, text);
      this.#refusedOpens += 1;
      if (this.#refusedOpens > MAX_REFUSED_OPENS) violation('too many refused channels');
    };
    if (!isUsable(info)) {
      refuse(OPEN_FAILURE.RESOURCE_SHORTAGE, 'packets of that size cannot be sent');
    } else if (info.type === 'session') {
      this.#openSession(info, refuse);
    } else if (info.type !== 'direct-tcpip' && info.type !== 'direct-streamlocal@openssh.com') {
      refuse(OPEN_FAILURE.UNKNOWN_TYPE, 'unknown type of channel');
    } else if (!this.#channels.reserve()) {
      refuse(OPEN_FAILURE.RESOURCE_SHORTAGE, 'too many channels');
    } else {
      const { destIP = '', destPort = 0, socketPath = '' } = info.data;
      const answer = this.#answer(info, refuse);
      this.#track(
        info.type === 'direct-tcpip'
          ? this.#forwards.direct(destIP, destPort, answer)
          : this.#forwards.directSocket(socketPath, answer),
      );
    }
  }

  #openSession(info: OpenInfo, refuse: Refuse): void {
    const { server, peer, logger, protocol } = this.#options;
    const channels = this.#channels;
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
      peer,
      user: () => this.user,
      ssh: this.#options.address,
      openAgentForward: () =>
        openAgentForward(() =>
          channels.open((id, window, packet) => {
            protocol.openssh_authAgent(id, window, packet);
          }),
        ),
      openX11Channel: (origin) =>
        channels.open((id, window, packet) => {
          protocol.x11(id, window, packet, origin);
        }),
    });
    this.#sessions.set(channel, session);
    channel.once('remote-close', () => {
      this.#sessions.delete(channel);
      // Its command may take seconds to end; whoever closes the connection waits for that too.
      this.#track(session.end());
    });
  }

  #answer(info: OpenInfo, refuse: Refuse): OpenAnswer {
    const channels = this.#channels;
    let answered = false;
    return {
      accept: () => {
        answered = true;
        channels.release();
        return channels.accept(info);
      },
      refuse: (error) => {
        if (answered) return;
        channels.release();
        this.#options.logger.info('a forward was refused', { error });
        if (!this.#options.isAlive()) return;
        const reason = isForbidden(error) ? OPEN_FAILURE.PROHIBITED : OPEN_FAILURE.CONNECT_FAILED;
        refuse(reason, error instanceof Error ? error.message : 'failed');
      },
    };
  }

  #serveRequests(): void {
    const { protocol, violation } = this.#options;
    const replies = this.#replies;
    const forwards = this.#forwards;
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
        violation('too many requests are waiting for an answer');
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

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#options.logger.warn('ssh work failed', { error });
      })
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}
