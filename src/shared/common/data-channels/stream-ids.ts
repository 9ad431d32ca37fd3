/**
 * libdatachannel and Chromium have 1,024 streams per association, and drop what comes on a higher one; the
 * last pair is left to whoever needs a stream for its line in the SDP.
 */
const MAX_STREAM_ID = 1_021;

/**
 * Numbers for the streams that this end opens: even for the DTLS client, odd for the server (RFC 8832 section
 * 6). They go round, so that a number rests for as long as possible before it is used again: the other end
 * may still be busy with the end of its last stream.
 */
export class StreamIds {
  #next: number;

  /** @param parity 0 for the DTLS client, 1 for the server. */
  constructor(parity: 0 | 1) {
    this.#next = parity;
  }

  /** The next number that is not `inUse`. There are more than CHANNELS_PER_PEER, so one is free. */
  take(inUse: (id: number) => boolean): number {
    do {
      const id = this.#next;
      this.#next = id + 2 > MAX_STREAM_ID ? id % 2 : id + 2;
      if (!inUse(id)) return id;
    } while (true);
  }
}
