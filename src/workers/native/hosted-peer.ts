import {
  HoldfastError,
  limits,
  systemClock,
  toErrorRecord,
  type ErrorRecord,
  type Timer,
} from '../../shared/common/index.js';
import { encodeAgentFrame, type IceCandidate } from '../../shared/common/wire/index.js';
import {
  answerNative,
  type HostCommand,
  type HostEvent,
  type PeerAttempt,
  type PeerChannel,
  type PeerConnection,
  type PeerEnd,
} from '../../shared/node/peer/index.js';
import { ChannelPipe } from './channel-pipe.js';

type Offer = Extract<HostCommand, { type: 'offer' }>;

/** A channel of the peer, and the pipe to its other half at the agent. */
interface Piped {
  readonly channel: PeerChannel;
  readonly pipe: ChannelPipe;
}

/**
 * One WebRTC connection of the native host, from the offer to its end: answers, waits for the agent to take it
 * over its socket, and pipes each channel that the peer opens into one of the agent's. Whichever side
 * ends, ends the other.
 */
export class HostedPeer {
  readonly #offer: Offer;
  readonly #tell: (event: HostEvent) => void;
  readonly #early: IceCandidate[] = [];
  readonly #piped = new Set<Piped>();
  #attempt: PeerAttempt | undefined;
  #connection: PeerConnection | undefined;
  #agent: PeerConnection | undefined;
  #untaken: Timer | undefined;
  #expelled: ErrorRecord | undefined;
  #isClosed = false;

  constructor(offer: Offer, tell: (event: HostEvent) => void) {
    this.#offer = offer;
    this.#tell = tell;
  }

  /** Whether the agent may take it now. */
  get isWaiting(): boolean {
    return this.#connection !== undefined && this.#agent === undefined && !this.#isClosed;
  }

  /** Resolves when it has ended; never rejects, since `ended` says how. */
  async serve(): Promise<void> {
    const { id } = this.#offer;
    let end: PeerEnd;
    try {
      end = await this.#run();
    } catch (error) {
      end = { error: toErrorRecord(error) };
    }
    this.#untaken?.cancel();
    await this.#agent?.close();
    this.#tell({ type: 'ended', id, end });
  }

  addCandidate(candidate: IceCandidate): void {
    if (this.#attempt !== undefined) this.#attempt.addCandidate(candidate);
    else if (this.#early.length < limits.EARLY_CANDIDATES) this.#early.push(candidate);
  }

  probe(): void {
    this.#connection?.probe();
  }

  /** Gives it up, or says goodbye to the peer. */
  close(): void {
    this.#isClosed = true;
    if (this.#connection === undefined) void this.#attempt?.abandon();
    else void this.#connection.close();
  }

  /** The agent's end of it: channels flow from now on. */
  take(agent: PeerConnection): void {
    this.#untaken?.cancel();
    this.#agent = agent;
    agent.onChannel((channel) => {
      this.#join(channel, this.#connection);
    });
    this.#connection?.onChannel((channel) => {
      if (this.#expelled !== undefined) channel.close(this.#expelled);
      else this.#join(channel, agent);
    });
    void agent.closed.then(() => {
      this.close();
    });
  }

  /** What waits to be sent is dropped, since the peer may not have it any more. */
  expel(error: ErrorRecord): void {
    this.#expelled = error;
    const { code, message } = error;
    for (const { channel, pipe } of [...this.#piped]) {
      const last = encodeAgentFrame({ type: 'error', code, message });
      channel.cut({ code, message }, channel.protocol === 'terminal' ? last : undefined);
      pipe.cut();
    }
  }

  async #run(): Promise<PeerEnd> {
    const { id, sdp, iceServers, heartbeatMs } = this.#offer;
    const attempt = await answerNative(sdp, {
      iceServers,
      heartbeatMs,
      onCandidate: (candidate) => {
        this.#tell({ type: 'candidate', id, candidate });
      },
    });
    this.#attempt = attempt;
    if (this.#isClosed) void attempt.abandon();
    else this.#tell({ type: 'answer', id, sdp: attempt.sdp });
    for (const candidate of this.#early.splice(0)) attempt.addCandidate(candidate);
    const connection = await attempt.connection;
    this.#connection = connection;
    if (this.#isClosed) {
      void connection.close();
    } else {
      this.#untaken = systemClock.after(limits.PEER_ESTABLISH_MS, () => {
        this.close();
      });
      this.#tell({ type: 'connected', id, binding: connection.binding() });
    }
    const end = await connection.closed;
    await connection.close();
    return end;
  }

  /** Opens the other half of `channel`, and pipes it there. */
  #join(channel: PeerChannel, to: PeerConnection | undefined): void {
    const { label, protocol } = channel;
    try {
      if (to === undefined) throw new HoldfastError('ERR_PEER_LOST', 'the connection has ended');
      const other = to.openChannel({ label, protocol });
      const piped: Piped = {
        channel: to === this.#agent ? channel : other,
        pipe: new ChannelPipe(channel, other, () => {
          this.#piped.delete(piped);
        }),
      };
      // The control channel ends with the connection.
      if (protocol !== 'control') this.#piped.add(piped);
      piped.pipe.start();
    } catch (error) {
      channel.close(toErrorRecord(error));
    }
  }
}
