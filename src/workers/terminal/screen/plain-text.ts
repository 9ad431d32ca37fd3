/**
 * Output that does no more than write lines: text, CR, LF, tabs, backspaces, and sequences that only
 * concern the line the cursor is in or the attributes of what is written.
 */
const PLAIN = 0;
const CONTROL = 1;
const ESCAPE = 2;
/** First byte of U+0080 to U+00BF, the lower half of which the emulator takes for C1 controls. */
const LEAD_C2 = 3;

const ESC = 0x1b;
const BRACKET = 0x5b;

const CLASS = new Uint8Array(256);
const PARAMETER = new Uint8Array(256);
/** SGR, EL, CHA, CUF, CUB, ECH, DCH, ICH: none of them leaves the line. */
const FINAL = new Uint8Array(256);
/** What an emulator does nothing for, wherever it is: NUL, BEL, DEL. */
const IDLE = new Uint8Array(256);

for (let byte = 0; byte < 0x20; byte += 1) CLASS[byte] = CONTROL;
for (const byte of [0x00, 0x07, 0x08, 0x09, 0x0a, 0x0d]) CLASS[byte] = PLAIN;
CLASS[ESC] = ESCAPE;
CLASS[0xc2] = LEAD_C2;
for (const character of '0123456789;:') PARAMETER[character.charCodeAt(0)] = 1;
for (const character of 'mKGCDXP@') FINAL[character.charCodeAt(0)] = 1;
for (const byte of [0x00, 0x07, 0x7f]) IDLE[byte] = 1;

/**
 * Position of the first byte of `bytes` from `from` that is not plain text, or begins what is not; `to` if
 * all is. A sequence that is cut off at `to` is not. Begins outside of characters and sequences.
 */
export function plainUntil(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  for (;;) {
    while (at < to && CLASS[bytes[at] as number] === PLAIN) at += 1;
    if (at >= to) return to;
    switch (CLASS[bytes[at] as number]) {
      case ESCAPE: {
        if (bytes[at + 1] !== BRACKET) return at;
        let end = at + 2;
        while (end < to && PARAMETER[bytes[end] as number] === 1) end += 1;
        if (end >= to || FINAL[bytes[end] as number] !== 1) return at;
        at = end + 1;
        break;
      }
      case LEAD_C2: {
        const next = bytes[at + 1] ?? 0;
        if (at + 1 >= to || (next >= 0x80 && next < 0xa0)) return at;
        at += 1;
        break;
      }
      default:
        return at;
    }
  }
}

/** Position of the first byte that an emulator does something for; `to` if there is none. */
export function idleUntil(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && IDLE[bytes[at] as number] === 1) at += 1;
  return at;
}
