const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;
const BACKSLASH = 0x5c;

/** What the byte that was given to {@link SequenceReader.next} did. */
export type SequenceStep =
  /** Text, or the inside of a sequence. */
  | { readonly type: 'more' }
  /**
   * It ended a control sequence. `sequence`: all of it without what ended a string, as Latin-1; absent if
   * it was longer than anybody needs. `by`: BEL, or the ESC of ST, for a string; else `final`.
   */
  | {
      readonly type: 'end';
      readonly sequence: string | undefined;
      readonly by: 'final' | 'bel' | 'st';
    };

const MORE: SequenceStep = { type: 'more' };

/** Longest sequence that is kept whole: the longest sensible list of capabilities is far shorter. */
const MAX_BYTES = 1_024;

/**
 * Picks the control sequences out of terminal output, byte by byte (ECMA-48). Begins at ground, and skips
 * text fast with {@link textEnd}.
 */
export class SequenceReader {
  #bytes: number[] = [];
  #state: 'ground' | 'escape' | 'intermediate' | 'csi' | 'string' = 'ground';
  #tooLong = false;

  /** Where the next sequence can begin in `bytes`, at or after `from`; its length if nowhere. */
  textEnd(bytes: Uint8Array, from: number): number {
    if (this.#state !== 'ground') return from;
    const at = bytes.indexOf(ESC, from);
    return at === -1 ? bytes.length : at;
  }

  next(byte: number): SequenceStep {
    if (byte === ESC) return this.#escape();
    if (this.#state === 'ground') return MORE;
    if (byte === CAN || byte === SUB) {
      this.#reset();
      return MORE;
    }
    if (this.#state === 'string') {
      if (byte === BEL) return this.#end('bel');
      this.#keep(byte);
      return MORE;
    }
    // Other controls act inside a sequence without being part of it.
    if (byte < 0x20) return MORE;
    this.#keep(byte);
    if (this.#state === 'escape') return this.#afterEscape(byte);
    const isFinal = byte >= (this.#state === 'csi' ? 0x40 : 0x30) && byte <= 0x7e;
    return isFinal ? this.#end('final') : MORE;
  }

  #escape(): SequenceStep {
    // It ends a string whatever follows, and begins the next sequence, which may be ST.
    const step = this.#state === 'string' ? this.#end('st') : MORE;
    this.#reset();
    this.#keep(ESC);
    this.#state = 'escape';
    return step;
  }

  #afterEscape(byte: number): SequenceStep {
    switch (byte) {
      case 0x5b: // [
        this.#state = 'csi';
        return MORE;
      case 0x5d: // ]
      case 0x50: // P
      case 0x58: // X
      case 0x5e: // ^
      case 0x5f: // _
        this.#state = 'string';
        return MORE;
      default:
        if (byte >= 0x20 && byte <= 0x2f) {
          this.#state = 'intermediate';
          return MORE;
        }
        // ST was told with the ESC of it.
        if (byte !== BACKSLASH) return this.#end('final');
        this.#reset();
        return MORE;
    }
  }

  #end(by: 'final' | 'bel' | 'st'): SequenceStep {
    const sequence = this.#tooLong ? undefined : String.fromCharCode(...this.#bytes);
    this.#reset();
    return { type: 'end', sequence, by };
  }

  #keep(byte: number): void {
    if (this.#bytes.length < MAX_BYTES) this.#bytes.push(byte);
    else this.#tooLong = true;
  }

  #reset(): void {
    this.#bytes = [];
    this.#tooLong = false;
    this.#state = 'ground';
  }
}
