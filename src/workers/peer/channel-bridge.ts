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

/**
 * Carries a channel of the peer over the port of whoever serves it, with credit both ways: what the
 * server of the channel has dealt with becomes credit for the peer, and the other way round. Holds no
 * byte for long: it takes from one side only what the other has credit for, but for the last words.
 */
export class ChannelBridge {
  readonly #channel: PeerChannel;
  readonly #port: PortChannel;
  /** Peer to port: what waits for credit of the port. Bounded by the credit that the peer has. */
  readonly #up: OwnedBytes[] = [];
  /** Port to peer: what waits for room in the engine. Bounded by the credit of the port. */
  readonly #down: OwnedBytes[] = [];
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
        this.#down.push(bytes as OwnedBytes);
        this.#pumpDown();
      },
      credit: () => {
        this.#returnCredit();
        this.#pumpUp();
      },
      end: (end) => {
        this.#downEnd = end;
        this.#pumpDown();
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
        this.#pumpDown();
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

  #pumpDown(): void {
    if (this.#isCut) {
      this.#down.length = 0;
      return;
    }
    while (this.#down.length > 0 && this.#channel.credit > 0) {
      const bytes = this.#down.shift() as OwnedBytes;
      this.#owedDown += bytes.length;
      this.#channel.send(bytes, this.#giveBack);
    }
    if (this.#owedDown >= limits.PORT_CREDIT_BYTES / 4) {
      this.#port.consumed(this.#owedDown);
      this.#owedDown = 0;
    }
    if (this.#downEnd === undefined || this.#down.length > 0) return;
    if (this.#downEnd.type === 'lost') this.#closeLost();
    else this.#channel.close(this.#downEnd.error);
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
