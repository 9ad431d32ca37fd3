import { randomInt } from 'node:crypto';
import {
  HoldfastError,
  limits,
  toErrorRecord,
  type Clock,
  type ErrorRecord,
} from '../../../common/index.js';
import { PPID } from './dcep.js';
import {
  RESET_REQUEST,
  type DtlsTransportInternals,
  type ReconfigParam,
  type SctpInternals,
  type WeriftInternals,
} from './internals.js';

/** What an association tells its connection. */
export interface AssociationEvents {
  connected(): void;
  /** A whole message of a stream; `data` is the receiver's to keep. */
  message(streamId: number, ppId: number, data: Buffer): void;
  /** The other end has reset its direction of a stream: nothing more comes on it. */
  remoteReset(streamId: number): void;
  /** Our reset of a stream is done. */
  localReset(streamId: number): void;
  /** Anything authentic arrived. */
  heard(): void;
  /** There may be room to send more. */
  room(): void;
  /** It is over. Absent error: the other end ended it on purpose. */
  closed(error: ErrorRecord | undefined): void;
}

/** TSNs with the same number of digits, since werift sorts them as strings: 10^9 up to the wrap at 2^32. */
const FIRST_TSN = { min: 1_000_000_000, max: 2_000_000_000 } as const;
/**
 * Of a DATA chunk, so that a UDP payload has at most 1,200 bytes: less the 12 and 16 bytes of SCTP's headers and the
 * 37 of a DTLS record with AES-GCM, padded to 4. werift's own makes 1,225.
 */
const CHUNK_BYTES = 1_132;
/** Packets at the start, as RFC 6928 has it for TCP; werift begins with 3. */
const INITIAL_PACKETS = 10;
/** werift waits 3 s for the first answer and after each reset, so one lost packet is felt. */
const FIRST_RTO_SECONDS = 1;
const MAX_BURSTS = 16;
/** Packets that may have overtaken a lost one, and bytes over the window that was advertised. */
const MAX_OUT_OF_ORDER = 8_192;
const WINDOW_SLACK = 256 * 1024;
const MIN_QUEUE_BYTES = 16 * 1024;
const RATE_SAMPLE_MS = 100;

/**
 * werift's SCTP association with a guard around each door that the other end can reach, and with the
 * pieces replaced that do not hold up: what arrives malformed ends this connection and nothing else; one
 * SACK per turn rather than per packet; the order of a reset after the data; no waiters per message.
 */
export class Association {
  readonly #sctp: SctpInternals;
  readonly #dtls: DtlsTransportInternals;
  readonly #events: AssociationEvents;
  readonly #clock: Clock;
  #sackScheduled = false;
  #receiving = 0;
  #closed = false;
  /** Resets that came before the last data of their streams. */
  #early: ReconfigParam[] = [];
  /** Bursts since the last SACK, and what was unacknowledged after them. */
  #bursts = 0;
  #flightAfterSend = 0;
  /** Bytes given to SCTP so far, and the rate at which they have left its queue. */
  #submitted = 0;
  #sampleAt: number;
  #sampleSent = 0;
  #queueBytes: number = limits.ASSOCIATION_QUEUE_BYTES;

  constructor({ sctp, dtlsTransport }: WeriftInternals, events: AssociationEvents, clock: Clock) {
    this.#sctp = sctp;
    this.#dtls = dtlsTransport;
    this.#events = events;
    this.#clock = clock;
    this.#sampleAt = clock.now();
  }

  /** Puts the guards in place. Must run before the DTLS handshake. */
  install(): void {
    const sctp = this.#sctp;
    const first = randomInt(FIRST_TSN.min, FIRST_TSN.max);
    sctp.localTsn = first;
    sctp.lastSackedTsn = first - 1;
    sctp.advancedPeerAckTsn = first - 1;
    sctp.reconfigRequestSeq = first;
    sctp.maxPayloadSize = CHUNK_BYTES;
    sctp.cwnd = INITIAL_PACKETS * sctp.maxPayloadSize;
    sctp.rto = FIRST_RTO_SECONDS;
    sctp.scheduleSack = () => {
      this.#scheduleSack();
      return Promise.resolve();
    };
    // Each pending send waits on `flush`, and each SACK wakes them all; nothing of ours needs the wait.
    sctp.flush = {
      execute: () => {
        this.#sendMore();
        this.#events.room();
      },
      asPromise: () => new Promise(() => undefined),
    };
    sctp.onSackReceived = () => {
      this.#growWindow();
      return Promise.resolve();
    };
    sctp.receive = (streamId, ppId, data) => {
      this.#events.message(streamId, ppId, data);
    };
    this.#guardResets();
    this.#dtls.dataReceiver = (data) => {
      this.#receive(data);
    };
    sctp.stateChanged.connected.subscribe(() => {
      this.#events.connected();
    });
    sctp.stateChanged.closed.subscribe(() => {
      // While a packet is being dealt with: it was an ABORT or SHUTDOWN. Else a timer gave up.
      this.#close(
        this.#receiving > 0
          ? undefined
          : { code: 'ERR_PEER_LOST', message: 'the connection to the other end was lost' },
      );
    });
  }

  /** Which numbers this end gives its streams: even for the DTLS client, as RFC 8832 section 6 says. */
  get firstStreamId(): 0 | 1 {
    // Not by `sctp.isServer`, which follows from who made the offer.
    return this.#dtls.role === 'client' ? 0 : 1;
  }

  /** Whether more should be handed over now; what is under way and not acknowledged does not count. */
  get hasRoom(): boolean {
    this.#sampleRate();
    return this.#queued < this.#queueBytes;
  }

  /** Whether everything handed over has been acknowledged. */
  get isIdle(): boolean {
    return this.#sctp.outboundQueue.length === 0 && this.#sctp.sentQueue.length === 0;
  }

  send(streamId: number, ppId: number, data: Uint8Array): void {
    if (this.#closed) return;
    this.#submitted += data.length;
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.#sctp.send(streamId, ppId, bytes, { ordered: true }).catch((error: unknown) => {
      this.#fail(error);
    });
  }

  /** Whether everything sent on these streams has been acknowledged. */
  isDrained(streamIds: readonly number[]): boolean {
    const isOne = ({ streamId }: { readonly streamId: number }): boolean =>
      streamIds.includes(streamId);
    return !this.#sctp.outboundQueue.some(isOne) && !this.#sctp.sentQueue.some(isOne);
  }

  /** Ends our direction of a stream; `localReset` follows. */
  reset(streamId: number): void {
    const { reconfigQueue, reconfigRequest } = this.#sctp;
    if (this.#closed) return;
    if (
      !reconfigQueue.includes(streamId) &&
      !(reconfigRequest?.streams.includes(streamId) ?? false)
    )
      reconfigQueue.push(streamId);
    this.#sctp.transmitReconfigRequest().catch((error: unknown) => {
      this.#fail(error);
    });
  }

  /** Makes the other end answer, whatever stack it runs: an SCTP HEARTBEAT, unless data does it. */
  ping(): void {
    if (this.#closed) return;
    this.#sctp.heartbeatCancel();
    this.#sctp.timerHeartbeatExpired().catch(() => undefined);
  }

  /**
   * werift sends 4 packets per SACK (Max.Burst of RFC 9260). One SACK here stands for all packets of a turn,
   * so it may be followed by as many bursts; otherwise 4 packets per round trip would be all.
   */
  #sendMore(): void {
    const { outboundQueue, flightSize, cwnd } = this.#sctp;
    if (this.#bursts >= MAX_BURSTS || outboundQueue.length === 0 || flightSize >= cwnd) {
      this.#flightAfterSend = flightSize;
      return;
    }
    this.#bursts += 1;
    this.#sctp.transmit().catch((error: unknown) => {
      this.#fail(error);
    });
  }

  /** In slow start a window grows by what was acknowledged (RFC 3465), not by one packet per SACK. */
  #growWindow(): void {
    const sctp = this.#sctp;
    this.#bursts = 0;
    const acknowledged = this.#flightAfterSend - sctp.flightSize;
    const wasFull = this.#flightAfterSend >= sctp.cwnd - sctp.maxPayloadSize * 2;
    const threshold = sctp.ssthresh ?? 0;
    if (!wasFull || sctp.fastRecoveryExit !== undefined || sctp.cwnd >= threshold) return;
    const extra = Math.max(0, acknowledged - sctp.maxPayloadSize);
    sctp.cwnd = Math.min(threshold, sctp.cwnd + Math.min(extra, MAX_BURSTS * sctp.maxPayloadSize));
  }

  get #queued(): number {
    // The queue holds packets, most of them full; counting them so also bounds many small ones.
    return this.#sctp.outboundQueue.length * this.#sctp.maxPayloadSize;
  }

  /** Keeps at most so much queued as the path takes in ASSOCIATION_QUEUE_MS. */
  #sampleRate(): void {
    const elapsed = this.#clock.now() - this.#sampleAt;
    if (elapsed < RATE_SAMPLE_MS) return;
    const queued = this.#queued;
    const sent = Math.max(0, this.#submitted - queued);
    // An empty queue says nothing of what the path could take.
    if (queued > 0 && elapsed < RATE_SAMPLE_MS * 10) {
      const fits = ((sent - this.#sampleSent) / elapsed) * limits.ASSOCIATION_QUEUE_MS;
      this.#queueBytes = Math.min(limits.ASSOCIATION_QUEUE_BYTES, Math.max(MIN_QUEUE_BYTES, fits));
    }
    this.#sampleAt += elapsed;
    this.#sampleSent = sent;
  }

  #receive(data: Buffer): void {
    if (this.#closed) return;
    this.#events.heard();
    this.#receiving += 1;
    this.#sctp
      .handleData(data)
      .then(() => {
        this.#checkBounds();
        this.#retryEarlyResets();
      })
      .catch((error: unknown) => {
        this.#fail(error);
      })
      .finally(() => {
        this.#receiving -= 1;
      });
  }

  /** werift advertises a window but does not hold the other end to it. */
  #checkBounds(): void {
    const { advertisedRwnd, sackMisOrdered } = this.#sctp;
    if (advertisedRwnd < -WINDOW_SLACK || sackMisOrdered.size > MAX_OUT_OF_ORDER)
      throw new HoldfastError('ERR_PROTOCOL', 'the other end sends more than the window allows');
  }

  #scheduleSack(): void {
    if (this.#sackScheduled || this.#closed) return;
    this.#sackScheduled = true;
    setImmediate(() => {
      this.#sackScheduled = false;
      if (!this.#closed) this.#sctp.sendSack().catch(() => undefined);
    });
  }

  /**
   * werift lets a reset overtake the data before it. RFC 6525 section 5.2.2 wants it to wait; the request is
   * put off until the data is there, and not answered before.
   */
  #guardResets(): void {
    const sctp = this.#sctp;
    const receive = sctp.receiveReconfigParam.bind(sctp);
    sctp.onReconfigStreams.subscribe((streamIds) => {
      for (const streamId of streamIds) this.#events.localReset(streamId);
    });
    sctp.receiveReconfigParam = async (param) => {
      const isRequest = param.type === RESET_REQUEST;
      if (isRequest && this.#isEarly(param)) {
        if (this.#early.length < limits.CHANNELS_PER_PEER) this.#early.push(param);
        return;
      }
      const { rto } = sctp;
      if (isRequest) {
        // Without its streams: werift tells of both directions by the same event.
        await receive({ ...param, type: RESET_REQUEST, streams: [] });
        for (const streamId of param.streams ?? []) this.#resetInbound(streamId);
        return;
      }
      await receive(param);
      // It has just put the time-out back to 3 s, whatever had been measured.
      sctp.rto = rto;
    };
  }

  #resetInbound(streamId: number): void {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the shape is werift's.
    delete this.#sctp.inboundStreams[streamId];
    this.#events.remoteReset(streamId);
  }

  #isEarly({ lastTsn }: ReconfigParam): boolean {
    const { lastReceivedTsn } = this.#sctp;
    if (lastTsn === undefined || lastReceivedTsn === undefined) return false;
    const ahead = (lastTsn - lastReceivedTsn) >>> 0;
    return ahead > 0 && ahead < 0x8000_0000;
  }

  #retryEarlyResets(): void {
    const ready = this.#early.filter((param) => !this.#isEarly(param));
    if (ready.length === 0) return;
    this.#early = this.#early.filter((param) => this.#isEarly(param));
    for (const param of ready)
      this.#sctp.receiveReconfigParam(param).catch((error: unknown) => {
        this.#fail(error);
      });
  }

  #fail(error: unknown): void {
    const { code, message } = toErrorRecord(error);
    this.#close({
      // What werift throws at bad input has no code of ours.
      code: code === 'ERR_INTERNAL' ? 'ERR_PROTOCOL' : code,
      message: code === 'ERR_INTERNAL' ? `malformed packet: ${message}` : message,
    });
  }

  #close(error: ErrorRecord | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#early = [];
    this.#events.closed(error);
  }
}

/** Whether a message of this kind carries data; WebRTC has kinds of their own for empty ones. */
export function isData(ppId: number): boolean {
  return ppId === PPID.binary || ppId === PPID.string;
}
