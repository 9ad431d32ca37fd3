import type { Clock } from '../clock.js';
import { HoldfastError, toErrorRecord, type ErrorRecord } from '../errors.js';
import { CHANNEL_OPENS_PER_SECOND, CHANNELS_PER_PEER } from '../limits.js';
import { checkChannelNames } from './frames.js';
import { RateLimit } from './rate-limit.js';

/** Decides which of the channels that the other end opens are let in. */
export class OpenGate {
  readonly #rate: RateLimit;
  #refused = 0;

  constructor(clock: Clock) {
    this.#rate = new RateLimit(clock, CHANNEL_OPENS_PER_SECOND);
  }

  /**
   * Why a channel is refused, with `open` others there. Absent: it is let in.
   * @throws {HoldfastError} ERR_PEER_LIMIT when refusing itself costs too much: the connection must end.
   */
  refusal(
    names: { readonly label: string; readonly protocol: string },
    open: number,
  ): ErrorRecord | undefined {
    let refusal: ErrorRecord = {
      code: 'ERR_PEER_LIMIT',
      message: 'too many channels on this connection',
    };
    try {
      checkChannelNames(names);
      if (this.#rate.take() && open < CHANNELS_PER_PEER) return undefined;
    } catch (error) {
      refusal = toErrorRecord(error);
    }
    this.#refused += 1;
    if (this.#refused > CHANNELS_PER_PEER * 4)
      throw new HoldfastError('ERR_PEER_LIMIT', 'channels are opened without end');
    return refusal;
  }
}
