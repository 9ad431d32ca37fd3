import { closeSync, constants, openSync } from 'node:fs';
import { HoldfastError } from '../../common/index.js';
import { lazily, libraryFunction } from '../system/index.js';

/**
 * Terminal modes by their names in POSIX (`ECHO`, `VINTR`, ...). Flags are 0 or 1, characters a byte
 * with 255 for none. Names that the system lacks are ignored, as RFC 4254 section 8 asks.
 */
export type TerminalModes = Readonly<Record<string, number>>;

/** Offsets in Linux's `struct termios` of glibc and musl: four words, a line byte, 32 characters. */
const WORDS = { input: 0, output: 4, control: 8, local: 12 } as const;
const CHARACTERS_AT = 17;
const TERMIOS_BYTES = 60;
const TCSANOW = 0;

type Word = keyof typeof WORDS;

/** Bits of asm-generic/termbits.h, which x86, ARM and RISC-V share. */
const FLAGS: Readonly<Record<string, readonly [Word, number]>> = {
  BRKINT: ['input', 0o2],
  IGNPAR: ['input', 0o4],
  PARMRK: ['input', 0o10],
  INPCK: ['input', 0o20],
  ISTRIP: ['input', 0o40],
  INLCR: ['input', 0o100],
  IGNCR: ['input', 0o200],
  ICRNL: ['input', 0o400],
  IUCLC: ['input', 0o1000],
  IXON: ['input', 0o2000],
  IXANY: ['input', 0o4000],
  IXOFF: ['input', 0o10000],
  IMAXBEL: ['input', 0o20000],
  IUTF8: ['input', 0o40000],
  OPOST: ['output', 0o1],
  OLCUC: ['output', 0o2],
  ONLCR: ['output', 0o4],
  OCRNL: ['output', 0o10],
  ONOCR: ['output', 0o20],
  ONLRET: ['output', 0o40],
  PARENB: ['control', 0o400],
  PARODD: ['control', 0o1000],
  ISIG: ['local', 0o1],
  ICANON: ['local', 0o2],
  XCASE: ['local', 0o4],
  ECHO: ['local', 0o10],
  ECHOE: ['local', 0o20],
  ECHOK: ['local', 0o40],
  ECHONL: ['local', 0o100],
  NOFLSH: ['local', 0o200],
  TOSTOP: ['local', 0o400],
  ECHOCTL: ['local', 0o1000],
  ECHOKE: ['local', 0o4000],
  PENDIN: ['local', 0o40000],
  IEXTEN: ['local', 0o100000],
};

/** Indexes into `c_cc`. */
const CHARACTERS: Readonly<Record<string, number>> = {
  VINTR: 0,
  VQUIT: 1,
  VERASE: 2,
  VKILL: 3,
  VEOF: 4,
  VSWTCH: 7,
  VSTART: 8,
  VSTOP: 9,
  VSUSP: 10,
  VEOL: 11,
  VREPRINT: 12,
  VDISCARD: 13,
  VWERASE: 14,
  VLNEXT: 15,
  VEOL2: 16,
};

/** What a disabled character is in the kernel, and in RFC 4254 section 8. */
const KERNEL_DISABLED = 0;
const WIRE_DISABLED = 255;

type Get = (fd: number, termios: Uint8Array) => number;
type Set = (fd: number, when: number, termios: Uint8Array) => number;
type Break = (fd: number, duration: number) => number;

const tcgetattr = lazily(() => libraryFunction('int tcgetattr(int, _Out_ void *)') as Get);
const tcsetattr = lazily(() => libraryFunction('int tcsetattr(int, int, void *)') as Set);
const tcsendbreak = lazily(() => libraryFunction('int tcsendbreak(int, int)') as Break);

/** Puts `modes` into a `struct termios`, leaving alone what is not named. Pure; for tests and below. */
export function mergeTerminalModes(termios: Uint8Array, modes: TerminalModes): void {
  const view = new DataView(termios.buffer, termios.byteOffset, termios.byteLength);
  for (const [name, value] of Object.entries(modes)) {
    const flag = FLAGS[name];
    const character = CHARACTERS[name];
    if (flag !== undefined) {
      const at = WORDS[flag[0]];
      const word = view.getUint32(at, true);
      view.setUint32(at, value !== 0 ? word | flag[1] : word & ~flag[1], true);
    } else if (character !== undefined) {
      termios[CHARACTERS_AT + character] = value === WIRE_DISABLED ? KERNEL_DISABLED : value & 0xff;
    }
  }
}

/**
 * Applies `modes` to the terminal at `slavePath`. Linux only; elsewhere the kernel's defaults stay.
 * @throws {HoldfastError} ERR_UNSUPPORTED when the terminal refuses.
 */
export function setTerminalModes(slavePath: string, modes: TerminalModes): void {
  if (process.platform !== 'linux' || Object.keys(modes).length === 0) return;
  const fd = openSync(slavePath, constants.O_RDWR | constants.O_NOCTTY);
  try {
    changeModes(fd, modes);
  } finally {
    closeSync(fd);
  }
}

/** As {@link setTerminalModes}, by a descriptor of the terminal, which stays open. Linux only. */
export function changeModes(fd: number, modes: TerminalModes): void {
  const termios = new Uint8Array(TERMIOS_BYTES);
  if (tcgetattr()(fd, termios) !== 0) {
    throw new HoldfastError('ERR_UNSUPPORTED', 'the modes of a terminal cannot be read');
  }
  mergeTerminalModes(termios, modes);
  if (tcsetattr()(fd, TCSANOW, termios) !== 0) {
    throw new HoldfastError('ERR_UNSUPPORTED', 'the modes of a terminal cannot be set');
  }
}

/**
 * Sends a break to the terminal of master `fd`, as OpenSSH's sshd does (RFC 4335). Linux has no line behind a
 * pseudo-terminal that could break, so it answers at once. False: the terminal refuses.
 */
export function sendBreak(fd: number): boolean {
  return process.platform !== 'win32' && tcsendbreak()(fd, 0) === 0;
}

/** How what is typed shows up. */
export type EchoMode =
  /** The kernel echoes. */
  | 'kernel'
  /** Nobody does: a program asks for a secret, a line at a time. */
  | 'none'
  /** The program reads single keys and echoes by itself, or does not. */
  | 'program';

/** How the terminal of master `fd` echoes now. Where that cannot be read, as if nobody did. */
export function readEchoMode(fd: number): EchoMode {
  if (process.platform !== 'linux') return 'none';
  const termios = new Uint8Array(TERMIOS_BYTES);
  if (tcgetattr()(fd, termios) !== 0) return 'none';
  const local = new DataView(termios.buffer).getUint32(WORDS.local, true);
  const has = (name: string): boolean => (local & (FLAGS[name]?.[1] ?? 0)) !== 0;
  if (has('ECHO')) return 'kernel';
  return has('ICANON') ? 'none' : 'program';
}
