import { limits } from '../../../shared/common/index.js';

const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;
const RIGHT_BRACKET = 0x5d;
const NOTHING = Buffer.alloc(0);
const INTRODUCER = Buffer.from('\x1b]', 'latin1');

/** Told of a whole OSC: what stands between introducer and end, and where in the bytes it ended. */
export type OscSink = (text: string, end: number) => void;

/**
 * Picks the OSC sequences out of terminal output (ECMA-48 8.3.89, ended by BEL or ST as xterm has it). It
 * needs no state for anything else: an ESC ends whatever it stands in, so `ESC ]` begins an OSC wherever it
 * is found, and between two of them the bytes are searched natively. What is longer than
 * {@link limits.OSC_BYTES}, as clipboards and pictures are, is passed over.
 */
export class OscReader {
  /** What there is of a sequence that an earlier piece began. Absent: none is open. */
  #held: Buffer | undefined;
  /** The last piece ended with an ESC. */
  #escaped = false;

  /** The next piece of output, cut anywhere. `bytes` may be over shared memory and is not kept. */
  read(bytes: Uint8Array, sink: OscSink): void {
    if (bytes.length === 0) return;
    // A Buffer searches by itself; a typed array over shared memory looks at each byte through V8.
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    if (this.#held === undefined && this.#escaped && view[0] === RIGHT_BRACKET) {
      this.#held = NOTHING;
      at = 1;
    }
    if (this.#held !== undefined) at = this.#body(view, at, sink);
    while (this.#held === undefined) {
      const found = findIntroducer(view, at);
      if (found === -1) break;
      at = this.#body(view, found + INTRODUCER.length, sink);
    }
    this.#escaped = this.#held === undefined && view[view.length - 1] === ESC;
  }

  /** Reads on in an OSC at `at`; returns where its end leaves off. */
  #body(view: Buffer, at: number, sink: OscSink): number {
    const held = this.#held;
    const room = limits.OSC_BYTES - (held?.length ?? 0);
    const limit = Math.min(view.length, at + room + 1);
    let end = at;
    while (end < limit && !isEnd(view[end] as number)) end += 1;
    this.#held = undefined;
    if (end - at > room) return end;
    if (end === view.length) {
      // A copy: the bytes are read over.
      this.#held = Buffer.concat([held ?? NOTHING, view.subarray(at)]);
      return end;
    }
    const by = view[end] as number;
    if (by === BEL || by === ESC) {
      const text =
        held === undefined
          ? view.toString('utf8', at, end)
          : Buffer.concat([held, view.subarray(at, end)]).toString('utf8');
      sink(text, end + 1);
    }
    // An ESC may begin the next one.
    return by === ESC ? end : end + 1;
  }
}

/**
 * Where the next OSC begins at or after `at`; -1: nowhere. In most output brackets are rarer than escapes, so
 * one byte is looked for first; output full of brackets costs no more than the search for both.
 */
function findIntroducer(view: Buffer, at: number): number {
  const bracket = view.indexOf(RIGHT_BRACKET, at);
  if (bracket === -1) return -1;
  if (bracket > at && view[bracket - 1] === ESC) return bracket - 1;
  return view.indexOf(INTRODUCER, bracket);
}

function isEnd(byte: number): boolean {
  return byte === BEL || byte === ESC || byte === CAN || byte === SUB;
}
