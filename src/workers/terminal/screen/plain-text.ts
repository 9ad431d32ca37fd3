/**
 * Output that does no more than write lines: text, tabs, backspaces, ends of lines, and sequences that only concern
 * the line the cursor is in or the attributes of what is written. Of the control characters an emulator does more for
 * SO and SI (character sets) and for those beyond ASCII; the rest it ignores, or moves the cursor down.
 */
const SO = 0x0e;
const SI = 0x0f;
const ESC = 0x1b;
const BRACKET = 0x5b;
/** First byte of U+0080 to U+00BF, the lower half of which the emulator takes for C1 controls. */
const LEAD_C2 = 0xc2;
/** Parameters of a control sequence. */
const PARAMETER = new Uint8Array(256);
for (const character of '0123456789:;') PARAMETER[character.charCodeAt(0)] = 1;
/** SGR, EL, CHA, CUF, CUB, ECH, DCH, ICH: none of them leaves the line. */
const FINAL = new Uint8Array(256);
for (const character of 'mKGCDXP@') FINAL[character.charCodeAt(0)] = 1;

/** What an emulator does nothing for, wherever it is: NUL, BEL, DEL. */
const IDLE = new Uint8Array(256);
for (const byte of [0x00, 0x07, 0x7f]) IDLE[byte] = 1;

/** A sequence with more bytes is none of those that are plain. */
const SEQUENCE_BYTES = 64;
/** As far is looked in JavaScript before the native search is called, which costs as much. */
const NEAR_BYTES = 64;
const NOTHING = Buffer.alloc(0);
const ZEROS = Buffer.alloc(64 * 1024);

/** What has been found where the looking stopped: something else than plain output, or a part of something. */
type Stop = 'odd' | 'cut';

/** Tells plain output from other, piece by piece, however it is cut. Begins outside of characters and sequences. */
export class PlainScanner {
  /** What the piece before ended in the middle of. */
  #cut: Buffer = NOTHING;
  #sawEscape = false;
  /** Where {@link #escapes} and {@link #characters} stopped. */
  #at = 0;

  /** There are escapes in the last piece, or there may be. */
  get sawEscape(): boolean {
    return this.#sawEscape;
  }

  /** Whether all that ends in `view` is plain. What is cut off at its end counts for the next one. */
  isPlain(view: Buffer): boolean {
    this.#sawEscape = this.#cut.length > 0;
    let from = 0;
    if (this.#cut.length > 0) {
      // The rest of it lies within so many bytes, if it is plain.
      const whole = Buffer.concat([this.#cut, view.subarray(0, SEQUENCE_BYTES)]);
      const stop = this.#first(whole);
      if (stop === 'cut' && view.length < SEQUENCE_BYTES) {
        this.#cut = whole;
        return true;
      }
      if (stop !== undefined) return this.#odd(view);
      from = this.#at - this.#cut.length;
      this.#cut = NOTHING;
    }
    // The rarest first: each costs a twentieth of a nanosecond per byte.
    if (view.includes(SO) || view.includes(SI)) return this.#odd(view);
    return (
      this.#take(view, this.#characters(view, from)) && this.#take(view, this.#escapes(view, from))
    );
  }

  #take(view: Buffer, stop: Stop | undefined): boolean {
    if (stop === 'odd') return this.#odd(view);
    if (stop === 'cut') this.#cut = Buffer.from(view.subarray(this.#at));
    return true;
  }

  /** What the escape or character at the beginning of `view` is; `#at` is behind it. */
  #first(view: Buffer): Stop | undefined {
    const isCharacter = view[0] === LEAD_C2;
    if (!isCharacter) return this.#sequence(view, 0);
    const second = view[1];
    this.#at = 2;
    if (second === undefined) return 'cut';
    return isControl(second) ? 'odd' : undefined;
  }

  /** Looks at each {@link LEAD_C2} from `from` on. */
  #characters(view: Buffer, from: number): Stop | undefined {
    for (let at = view.indexOf(LEAD_C2, from); at !== -1; at = view.indexOf(LEAD_C2, at + 1)) {
      this.#at = at;
      const second = view[at + 1];
      if (second === undefined) return 'cut';
      if (isControl(second)) return 'odd';
    }
    return undefined;
  }

  /** Looks at each escape from `from` on. In output full of colours there is one every dozen bytes. */
  #escapes(view: Buffer, from: number): Stop | undefined {
    const end = view.length;
    let at = from;
    for (;;) {
      const near = Math.min(end, at + NEAR_BYTES);
      while (at < near && view[at] !== ESC) at += 1;
      if (at === near) {
        if (at < end) at = view.indexOf(ESC, at);
        if (at === -1 || at === end) return undefined;
      }
      this.#sawEscape = true;
      const stop = this.#sequence(view, at);
      if (stop !== undefined) {
        this.#at = at;
        return stop;
      }
      at = this.#at;
    }
  }

  /** What the escape at `from` begins; `#at` is behind it if it is plain. */
  #sequence(view: Buffer, from: number): Stop | undefined {
    const end = view.length;
    if (from + 1 >= end) return 'cut';
    if (view[from + 1] !== BRACKET) return 'odd';
    let at = from + 2;
    while (at < end && PARAMETER[view[at] as number] === 1) at += 1;
    if (at >= end) return at - from < SEQUENCE_BYTES ? 'cut' : 'odd';
    const final = view[at] as number;
    if (FINAL[final] === 1) this.#at = at + 1;
    // Begun and given up for the next one, as where two programs write at once: nothing comes of it.
    else if (final === ESC) this.#at = at;
    else return 'odd';
    return undefined;
  }

  /** Only where the next piece begins still matters. */
  #odd(view: Buffer): false {
    this.#sawEscape = true;
    const tail = view.subarray(-SEQUENCE_BYTES);
    const isCharacter = tail.at(-1) === LEAD_C2;
    const at = isCharacter ? tail.length - 1 : tail.lastIndexOf(ESC);
    const isCut = isCharacter || (at !== -1 && this.#sequence(tail, at) === 'cut');
    this.#cut = isCut ? Buffer.from(tail.subarray(at)) : NOTHING;
    return false;
  }
}

/** C1 controls are U+0080 to U+009F. */
function isControl(second: number): boolean {
  return second >= 0x80 && second < 0xa0;
}

/** Whether an emulator does nothing for all of `view`. */
export function isIdle(view: Buffer): boolean {
  if (view.length <= ZEROS.length && view.equals(ZEROS.subarray(0, view.length))) return true;
  for (const byte of view) if (IDLE[byte] !== 1) return false;
  return true;
}
