import { limits } from '../../../shared/common/index.js';
import type { TerminalSize } from '../../../shared/common/wire/index.js';
import type { TerminalModes } from '../../../shared/node/pty/index.js';
import { MESSAGE, PayloadReader, PayloadWriter } from './internals.js';

/** Opcodes of RFC 4254 section 8, and IUTF8 of RFC 8160. */
const MODE_NAMES: Readonly<Record<number, string>> = {
  1: 'VINTR',
  2: 'VQUIT',
  3: 'VERASE',
  4: 'VKILL',
  5: 'VEOF',
  6: 'VEOL',
  7: 'VEOL2',
  8: 'VSTART',
  9: 'VSTOP',
  10: 'VSUSP',
  12: 'VREPRINT',
  13: 'VWERASE',
  14: 'VLNEXT',
  16: 'VSWTCH',
  18: 'VDISCARD',
  30: 'IGNPAR',
  31: 'PARMRK',
  32: 'INPCK',
  33: 'ISTRIP',
  34: 'INLCR',
  35: 'IGNCR',
  36: 'ICRNL',
  37: 'IUCLC',
  38: 'IXON',
  39: 'IXANY',
  40: 'IXOFF',
  41: 'IMAXBEL',
  42: 'IUTF8',
  50: 'ISIG',
  51: 'ICANON',
  52: 'XCASE',
  53: 'ECHO',
  54: 'ECHOE',
  55: 'ECHOK',
  56: 'ECHONL',
  57: 'NOFLSH',
  58: 'TOSTOP',
  59: 'IEXTEN',
  60: 'ECHOCTL',
  61: 'ECHOKE',
  62: 'PENDIN',
  70: 'OPOST',
  71: 'OLCUC',
  72: 'ONLCR',
  73: 'OCRNL',
  74: 'ONOCR',
  75: 'ONLRET',
  92: 'PARENB',
  93: 'PARODD',
};

const TTY_OP_END = 0;
/** "Opcodes 160 to 255 are not yet defined, and cause parsing to stop" (RFC 4254 section 8). */
const FIRST_UNDEFINED = 160;

/**
 * The modes in the last field of a `pty-req`. Stops at the end, at an undefined opcode or where the
 * field is cut short; opcodes that mean nothing here are passed over. Never throws.
 */
export function parseTerminalModes(bytes: Uint8Array): TerminalModes {
  const reader = new PayloadReader(bytes);
  const modes: Record<string, number> = {};
  for (;;) {
    const opcode = reader.byte();
    if (opcode === undefined || opcode === TTY_OP_END || opcode >= FIRST_UNDEFINED) return modes;
    const value = reader.uint32();
    if (value === undefined) return modes;
    const name = MODE_NAMES[opcode];
    if (name !== undefined) modes[name] = value;
  }
}

/** A `pty-req` whose modes were taken out. */
export interface TakenModes {
  readonly payload: Buffer;
  readonly modes: TerminalModes;
}

/**
 * Takes the modes out of a CHANNEL_REQUEST packet of type `pty-req`, since ssh2 skips their first byte,
 * so that with OpenSSH all are lost, and ends the connection over an opcode that it does not know.
 * Absent: the packet is something else, or too short for ssh2 to accept either.
 */
export function takeTerminalModes(packet: Uint8Array): TakenModes | undefined {
  if (packet[0] !== MESSAGE.CHANNEL_REQUEST) return undefined;
  const reader = new PayloadReader(packet, 1);
  reader.uint32();
  if (reader.string()?.toString('latin1') !== 'pty-req') return undefined;
  reader.byte();
  reader.string();
  for (let field = 0; field < 4; field += 1) reader.uint32();
  const modesAt = reader.at;
  const modes = reader.string();
  if (modes === undefined) return undefined;
  const payload = Buffer.concat([
    packet.subarray(0, modesAt),
    new PayloadWriter().string('').finish(),
  ]);
  return { payload, modes: parseTerminalModes(modes) };
}

/**
 * A size that a PTY can have. OpenSSH sends 0 by 0 when its input is no terminal; hostile clients send
 * 2^32-1, for which programs would allocate screens.
 */
export function clampSize(rows: number, cols: number): TerminalSize {
  const clamp = (cells: number, fallback: number): number =>
    cells === 0 ? fallback : Math.min(Math.max(cells, limits.MIN_CELLS), limits.MAX_CELLS);
  return { rows: clamp(rows, limits.DEFAULT_ROWS), cols: clamp(cols, limits.DEFAULT_COLS) };
}

/** A TERM that is safe as an environment value and a file name of terminfo; else plain `xterm`. */
export function checkTerm(term: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/.test(term) ? term : 'xterm';
}
