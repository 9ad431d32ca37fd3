import { HoldfastError, limits } from '../../../shared/common/index.js';
import { SshChannel, type ChannelLink } from './channel.js';
import type { Ssh2Protocol } from './internals.js';

interface Opening {
  readonly resolve: (channel: SshChannel) => void;
  readonly reject: (error: HoldfastError) => void;
}

/** The client's side of a new channel. */
export interface RemoteEnd {
  readonly sender: number;
  readonly window: number;
  readonly packetSize: number;
}

/** Go's x/crypto draws the same line; nobody means more. */
const MAX_PACKET = 2 ** 31;

/**
 * The channels of one connection by our numbers, those being opened included, and the one writer for all
 * of them: each in turn sends one packet while the connection takes more.
 */
export class ChannelTable {
  readonly #link: ChannelLink;
  readonly #hasRoom: () => boolean;
  readonly #channels = new Map<number, SshChannel | Opening>();
  /** Channels with something to send, in the order of their turns. */
  readonly #ready = new Set<SshChannel>();
  #nextId = 0;
  #reserved = 0;
  #pumping = false;

  constructor(connection: {
    readonly protocol: Ssh2Protocol;
    readonly isAlive: () => boolean;
    /** Whether the connection takes another packet of data now. */
    readonly hasRoom: () => boolean;
    readonly sent: (bytes: number) => void;
  }) {
    this.#hasRoom = connection.hasRoom;
    this.#link = {
      protocol: connection.protocol,
      get alive() {
        return connection.isAlive();
      },
      sent: (bytes) => {
        connection.sent(bytes);
      },
      wantsToSend: (channel) => {
        this.#ready.add(channel);
        this.pump();
      },
      closed: (channel) => {
        this.#channels.delete(channel.localId);
        this.#ready.delete(channel);
      },
    };
  }

  /** Channels that stand, are being opened or are reserved. */
  get size(): number {
    return this.#channels.size + this.#reserved;
  }

  /** Whether there is room for another; the caller must {@link release} what it reserves. */
  reserve(): boolean {
    if (this.size >= limits.SSH_CHANNELS) return false;
    this.#reserved += 1;
    return true;
  }

  release(): void {
    this.#reserved -= 1;
  }

  /** A channel of the client's; confirms it. Needs a check by {@link isUsable} before. */
  accept(remote: RemoteEnd): SshChannel {
    const window = this.#receiveWindow();
    const channel = this.#create(this.#allocate(), remote, window);
    this.#link.protocol.channelOpenConfirm(
      remote.sender,
      channel.localId,
      window,
      limits.SSH_PACKET_BYTES,
    );
    return channel;
  }

  /**
   * Opens a channel to the client; `send` puts the packet together.
   * @throws {HoldfastError} ERR_PEER_LIMIT, ERR_FORWARD_FAILED, ERR_CLOSED.
   */
  open(send: (localId: number, window: number, packet: number) => void): Promise<SshChannel> {
    return new Promise((resolve, reject) => {
      if (this.size >= limits.SSH_CHANNELS || !this.#link.alive) {
        reject(new HoldfastError('ERR_PEER_LIMIT', 'too many channels on this connection'));
        return;
      }
      const localId = this.#allocate();
      this.#channels.set(localId, { resolve, reject });
      send(localId, limits.SSH_SMALL_WINDOW_BYTES, limits.SSH_PACKET_BYTES);
    });
  }

  /** Absent: there is no open channel of this number. */
  get(localId: number): SshChannel | undefined {
    const entry = this.#channels.get(localId);
    return entry instanceof SshChannel ? entry : undefined;
  }

  /** The client took a channel that {@link open} offered. False: nothing was offered. */
  confirmed(localId: number, remote: RemoteEnd): boolean {
    const opening = this.#channels.get(localId);
    if (opening === undefined || opening instanceof SshChannel || !isUsable(remote)) return false;
    this.#channels.delete(localId);
    opening.resolve(this.#create(localId, remote, limits.SSH_SMALL_WINDOW_BYTES));
    return true;
  }

  /** The client refused a channel that {@link open} offered. False: nothing was offered. */
  refused(localId: number): boolean {
    const opening = this.#channels.get(localId);
    if (opening === undefined || opening instanceof SshChannel) return false;
    this.#channels.delete(localId);
    opening.reject(new HoldfastError('ERR_FORWARD_FAILED', 'the client refused the channel'));
    return true;
  }

  /** Sends while the connection has room. Call when it may have room again. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#hasRoom()) {
        const next = this.#ready.values().next();
        if (next.done === true) return;
        this.#ready.delete(next.value);
        if (next.value.sendSome()) this.#ready.add(next.value);
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** The connection is gone. */
  lost(): void {
    const entries = [...this.#channels.values()];
    this.#channels.clear();
    this.#ready.clear();
    for (const entry of entries) {
      if (entry instanceof SshChannel) entry.connectionLost();
      else entry.reject(new HoldfastError('ERR_CLOSED', 'the connection of the client ended'));
    }
  }

  #create(localId: number, remote: RemoteEnd, receiveWindow: number): SshChannel {
    const channel = new SshChannel(this.#link, {
      localId,
      remoteId: remote.sender,
      sendWindow: remote.window,
      sendPacket: remote.packetSize,
      receiveWindow,
    });
    this.#channels.set(localId, channel);
    return channel;
  }

  /** Large windows for a few channels, so that a client with hundreds cannot fill hundreds of megabytes. */
  #receiveWindow(): number {
    return this.#channels.size < limits.SSH_LARGE_WINDOWS
      ? limits.SSH_WINDOW_BYTES
      : limits.SSH_SMALL_WINDOW_BYTES;
  }

  #allocate(): number {
    while (this.#channels.has(this.#nextId)) this.#nextId = (this.#nextId + 1) % MAX_PACKET;
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) % MAX_PACKET;
    return id;
  }
}

/** Whether packets of the size that the client asks for can be sent at all. */
export function isUsable({ packetSize }: RemoteEnd): boolean {
  return packetSize >= limits.SSH_MIN_PACKET_BYTES && packetSize <= MAX_PACKET;
}
