import { SequenceScanner } from './scanner.js';

/**
 * Copy of `bytes` with an ST in place of each sequence that makes an emulator answer. In a replay those answers
 * would be typed into the shell long after the program that asked has gone (the "junk in the terminal" of the
 * original). `bytes` begins at a boundary; a sequence cut off at the end is kept as it is.
 *
 * The ST does nothing but part the characters around it as the query did: what follows does not join the one
 * before, and a REP does not repeat it.
 */
export function stripQueries(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  // ENQ is the only query that is shorter than an ST.
  const kept = new Uint8Array(2 * bytes.length);
  let length = 0;
  const add = (piece: Uint8Array): void => {
    kept.set(piece, length);
    length += piece.length;
  };
  const scanner = new SequenceScanner();
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte === ENQ) {
      add(ST);
      at += 1;
      continue;
    }
    if (byte !== ESC) {
      const end = nextSpecial(bytes, at);
      add(bytes.subarray(at, end));
      at = end;
      continue;
    }
    const end = endOfSequence(scanner, bytes, at);
    const isWhole = !scanner.inSequence;
    add(isWhole && isQuery(latin1(bytes, at, end)) ? ST : bytes.subarray(at, end));
    at = end;
  }
  return kept.slice(0, length);
}

/** As much of a sequence as shows whether it is a query. */
function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 256)));
}

const ENQ = 0x05;
const ESC = 0x1b;
const ST = Uint8Array.of(ESC, 0x5c);

function nextSpecial(bytes: Uint8Array, from: number): number {
  const escape = bytes.indexOf(ESC, from);
  const end = escape === -1 ? bytes.length : escape;
  const enq = bytes.subarray(from, end).indexOf(ENQ);
  return enq === -1 ? end : from + enq;
}

/** Runs `scanner`, which is at ground, over the sequence that starts at `from`. */
function endOfSequence(scanner: SequenceScanner, bytes: Uint8Array, from: number): number {
  let at = from;
  do {
    scanner.next(bytes[at] as number);
    at += 1;
    // An ESC inside a sequence starts the next one; cut there, so that each is judged alone.
    const next = bytes[at];
    if (scanner.inSequence && next === ESC && bytes[at + 1] !== 0x5c) break;
  } while (scanner.inSequence && at < bytes.length);
  return at;
}

/** CSI queries by their bytes after `ESC [`; see xterm's ctlseqs for each. */
const CSI_QUERIES: readonly RegExp[] = [
  /^[>=]?[0-9;]*c$/, // DA1, DA2, DA3
  /^\??[0-9;]*n$/, // DSR, CPR and their private forms
  /^\??[0-9;]*\$p$/, // DECRQM
  /^>[0-9;]*q$/, // XTVERSION
  /^[0-9;]*x$/, // DECREQTPARM
  /^(?:1[1345689]|2[01])(?:;[0-9]+)*t$/, // reports of the window, its size and title
  /^\?[0-9;]*u$/, // kitty keyboard flags
  /^\?[0-9;]*S$/, // graphics attributes
  /^[0-9;]*\$w$/, // DECRQPSR
  /^[0-9;]*\*y$/, // DECRQCRA
  /^\?[0-9;]*m$/, // XTQMODKEYS
];

/** Numbers of OSC sequences that ask when one of their fields is `?`. */
const OSC_QUERY = /^(?:4|5|10|11|12|13|14|15|16|17|18|19|52|104)(?:;[^;]*)*;\?(?:;|$)/;

/** Whether `text`, a whole control sequence as Latin-1, makes an emulator answer. What ends a string may be left out. */
export function isQuery(text: string): boolean {
  switch (text[1]) {
    case '[': {
      const body = text.slice(2);
      return CSI_QUERIES.some((query) => query.test(body));
    }
    case ']':
      return OSC_QUERY.test(text.slice(2).replace(/(?:\x07|\x1b\\)$/, ''));
    case 'P':
      // DECRQSS and XTGETTCAP
      return /^(?:[0-9;]*\$q|\+q)/.test(text.slice(2));
    case 'Z':
      return text.length === 2;
    default:
      return false;
  }
}
