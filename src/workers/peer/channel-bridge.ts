import {
  HoldfastError,
  limits,
  type ChannelEnd,
  type ErrorRecord,
  type OwnedBytes,
} from '../../shared/common/index.js';
import { encodeAgentFrame } from '../../shared/common/wire/index.js';
import type { PeerChannel } from '../../shared/node/peer/index.js';
import type { PortChannel } from '../../shared/node/ports/index.js';
import { awaitTurn, type TurnTaker } from './turns.js';

/**
 * Carries a channel of the peer over the port of whoever serves it, with credit both ways: what the
 * server of the channel has dealt with becomes credit for the peer, and the other way round. Holds no
 * byte for long: it takes from one side only what the other has credit for, but for the last words.
 */
export class ChannelBridge implements TurnTaker {
  readonly #channel: PeerChannel;
  readonly #port: PortChannel;
  /** Peer to port: what waits for credit of the port. Bounded by the credit that the peer has. */
  readonly #up: OwnedBytes[] = [];
  /** Port to peer: what waits for room in the engine. Bounded by the credit of the port. */
  readonly #down: OwnedBytes[] = [];
  #downBytes = 0;
  #upEnd: ChannelEnd | undefined;
  #downEnd: ChannelEnd | undefined;
  /** Credit of the port if nothing that was sent on it were outstanding. */
  readonly #fullCredit: number;
  #sentUp = 0;
  #returnedUp = 0;
  /** Sent on to the peer and not yet given back: a message per keystroke would double the traffic. */
  #owedDown = 0;

  readonly #giveBack = (bytes: OwnedBytes): void => {
    this.#port.giveBack(bytes);
  };
  #isCut = false;
  readonly #onEnd: () => void;

  /** `onEnd` is called once, when the channel of the peer has ended. */
  constructor(channel: PeerChannel, port: PortChannel, onEnd: () => void) {
    this.#channel = channel;
    this.#port = port;
    this.#onEnd = onEnd;
    this.#fullCredit = port.credit;
  }

  start(): void {
    this.#port.start({
      message: (bytes) => {
        if (this.#isCut) return;
        this.#down.push(bytes as OwnedBytes);
        this.#downBytes += bytes.length;
        awaitTurn(this);
      },
      credit: () => {
        this.#returnCredit();
        this.#pumpUp();
      },
      end: (end) => {
        this.#downEnd = end;
        awaitTurn(this);
      },
    });
    this.#channel.start({
      takesLent: true,
      message: (bytes) => {
        if (this.#isCut) return;
        // In a buffer of exactly their size, which can be transferred.
        this.#up.push(new Uint8Array(bytes));
        this.#pumpUp();
      },
      credit: () => {
        if (this.#down.length > 0) awaitTurn(this);
      },
      end: (end) => {
        this.#upEnd = end;
        this.#onEnd();
        this.#pumpUp();
      },
    });
  }

  /** Ends both sides now: nothing that waits goes either way any more. The peer is told why. */
  cut({ code, message }: ErrorRecord): void {
    this.#isCut = true;
    this.#up.length = 0;
    this.#down.length = 0;
    this.#downBytes = 0;
    this.#port.close();
    this.#channel.cut(
      { code, message },
      this.#channel.protocol === 'terminal'
        ? encodeAgentFrame({ type: 'error', code, message })
        : undefined,
    );
  }

  #pumpUp(): void {
    if (this.#isCut) return;
    while (this.#up.length > 0 && this.#port.credit > 0) {
      const bytes = this.#up.shift() as OwnedBytes;
      this.#sentUp += bytes.length;
      this.#port.send(bytes);
    }
    if (this.#upEnd === undefined || this.#up.length > 0) return;
    this.#port.close(
      this.#upEnd.type === 'lost'
        ? { code: 'ERR_PEER_LOST', message: 'the connection to the peer was lost' }
        : this.#upEnd.error,
    );
  }

  /** The port says what its reader has consumed only as growing credit. */
  #returnCredit(): void {
    const returned = this.#port.credit - this.#fullCredit + this.#sentUp;
    this.#channel.consumed(returned - this.#returnedUp);
    this.#returnedUp = returned;
  }

  /** From the port to the peer. */
  get queuedBytes(): number {
    return this.#downBytes;
  }

  takeTurn(): boolean {
    if (this.#isCut) return false;
    if (this.#channel.credit > 0) this.#sendNext();
    if (this.#down.length > 0) return this.#channel.credit > 0;
    if (this.#downEnd?.type === 'lost') this.#closeLost();
    else if (this.#downEnd !== undefined) this.#channel.close(this.#downEnd.error);
    return false;
  }

  #sendNext(): void {
    const bytes = this.#down.shift();
    if (bytes === undefined) return;
    this.#downBytes -= bytes.length;
    this.#owedDown += bytes.length;
    this.#channel.send(bytes, this.#giveBack);
    if (this.#owedDown >= limits.PORT_CREDIT_BYTES / 4) {
      this.#port.consumed(this.#owedDown);
      this.#owedDown = 0;
    }
  }

  /** Who served the channel died. A viewer of the `terminal` protocol is told, so that it attaches again. */
  #closeLost(): void {
    const error = new HoldfastError(
      'ERR_WORKER_LOST',
      'the worker that served this terminal ended',
    );
    if (this.#channel.protocol === 'terminal')
      this.#channel.send(
        encodeAgentFrame({ type: 'error', code: error.code, message: error.message }),
      );
    this.#channel.close({ code: error.code, message: error.message });
  }
}
