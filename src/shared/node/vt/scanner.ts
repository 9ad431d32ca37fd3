/**
 * Follows terminal output just far enough to know where control sequences and characters begin and end
 * (ECMA-48, and the state machine that VT emulators share). It interprets nothing.
 */
const GROUND = 0;
const ESCAPE = 1;
const ESCAPE_INTERMEDIATE = 2;
const CSI = 3;
/** OSC: ends with BEL or ST. */
const OSC = 4;
/** DCS, SOS, PM, APC: end with ST only. */
const STRING = 5;
/** ESC inside a string: the first half of ST, or the start of a new sequence. */
const STRING_ESCAPE = 6;

const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;

export class SequenceScanner {
  #state = GROUND;
  /** Continuation bytes that the current UTF-8 character still lacks. */
  #continuation = 0;

  /** The next byte starts a character or a sequence. */
  get atBoundary(): boolean {
    return this.#state === GROUND && this.#continuation === 0;
  }

  /** Whether the last byte was part of a control sequence, or ended one. */
  get inSequence(): boolean {
    return this.#state !== GROUND;
  }

  /** The whole state as one small number, for {@link unpack}. */
  pack(): number {
    return this.#state * 8 + this.#continuation;
  }

  /** A scanner in the state that `packed` says; 0 is the state of a fresh one. */
  static unpack(packed: number): SequenceScanner {
    const scanner = new SequenceScanner();
    scanner.#state = Math.floor(packed / 8);
    scanner.#continuation = packed % 8;
    return scanner;
  }

  /**
   * Takes all of `bytes`, of which only the end matters: after an escape everything goes on in the same way,
   * whatever it interrupted (within a string it is half of ST, and what follows that half is read as what
   * follows any escape). So colourful output costs no more than plain text.
   */
  skip(bytes: Uint8Array): void {
    // A Buffer searches by itself; a typed array over shared memory looks at each byte through V8.
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = view.lastIndexOf(ESC) + 1;
    if (at > 0) {
      this.#state = ESCAPE;
      this.#continuation = 0;
    }
    for (; at < bytes.length && this.#state !== GROUND; at += 1) this.next(bytes[at] as number);
    this.#skipText(bytes, at, bytes.length);
  }

  next(byte: number): void {
    switch (this.#state) {
      case GROUND:
        if (byte === ESC) {
          this.#state = ESCAPE;
          this.#continuation = 0;
        } else {
          this.#nextOfText(byte);
        }
        return;
      case ESCAPE:
        this.#state = afterEscape(byte);
        return;
      case ESCAPE_INTERMEDIATE:
        if (byte === ESC) this.#state = ESCAPE;
        else if (byte === CAN || byte === SUB || (byte >= 0x30 && byte <= 0x7e))
          this.#state = GROUND;
        return;
      case CSI:
        if (byte === ESC) this.#state = ESCAPE;
        else if (byte === CAN || byte === SUB || (byte >= 0x40 && byte <= 0x7e))
          this.#state = GROUND;
        return;
      case OSC:
        if (byte === BEL || byte === CAN || byte === SUB) this.#state = GROUND;
        else if (byte === ESC) this.#state = STRING_ESCAPE;
        return;
      case STRING:
        if (byte === CAN || byte === SUB) this.#state = GROUND;
        else if (byte === ESC) this.#state = STRING_ESCAPE;
        return;
      default:
        // STRING_ESCAPE: `\` completes ST; anything else ends the string and is a sequence of its own.
        this.#state = byte === 0x5c ? GROUND : afterEscape(byte);
    }
  }

  #nextOfText(byte: number): void {
    if (this.#continuation > 0 && byte >= 0x80 && byte < 0xc0) this.#continuation -= 1;
    else this.#continuation = continuationOf(byte);
  }

  /** Only the last few bytes of text can be an incomplete character. */
  #skipText(bytes: Uint8Array, from: number, to: number): void {
    if (to - from > 4) {
      this.#continuation = 0;
      let at = to - 4;
      while (at < to && isContinuation(bytes[at] as number)) at += 1;
      for (; at < to; at += 1) this.#nextOfText(bytes[at] as number);
      return;
    }
    for (let at = from; at < to; at += 1) this.#nextOfText(bytes[at] as number);
  }
}

function afterEscape(byte: number): number {
  switch (byte) {
    case 0x5b: // [
      return CSI;
    case 0x5d: // ]
      return OSC;
    case 0x50: // P
    case 0x58: // X
    case 0x5e: // ^
    case 0x5f: // _
      return STRING;
    case ESC:
      return ESCAPE;
    default:
      if (byte >= 0x20 && byte <= 0x2f) return ESCAPE_INTERMEDIATE;
      // Other C0 controls act inside a sequence without ending it.
      return byte < 0x20 && byte !== CAN && byte !== SUB ? ESCAPE : GROUND;
  }
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function continuationOf(lead: number): number {
  if (lead >= 0xf0 && lead < 0xf8) return 3;
  if (lead >= 0xe0) return lead < 0xf0 ? 2 : 0;
  return lead >= 0xc0 ? 1 : 0;
}
