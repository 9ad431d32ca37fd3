import { CHECK_PRIME, CHECK_STEP, LINE_BYTES, NUMBERS, type LinePattern } from './line-pattern.js';

/** What the program in a terminal prints. */
export type Output =
  /** Nothing. */
  | { readonly kind: 'silent' }
  /** {@link READY} when it is so, then what is typed. */
  | { readonly kind: 'echo' }
  | { readonly kind: 'rate'; readonly bytesPerSecond: number }
  /** As much as it is let. */
  | { readonly kind: 'max' };

/** Output that prints the lines of a pattern. */
export type Printing = Extract<Output, { kind: 'rate' | 'max' }>;

export function isPrinting(output: Output): output is Printing {
  return output.kind === 'rate' || output.kind === 'max';
}

/** The status that a producer ends with when it is told to by {@link FINISH}. */
export const FINISHED_STATUS = 7;
/** Typed into a terminal with a rate, it ends the producer after its last whole line. */
export const FINISH = Buffer.from('end\n');

/** Lines of one write: 4 KiB are what the kernel takes of a PTY at once. */
const WRITE_LINES = 4_096 / LINE_BYTES;
/** Lines of one write are worth a wake-up. */
const WORTHWHILE_LINES = 8;
/** The longest pause, in tenths of a second: slow terminals still show that they are alive. */
const MAX_TICKS = 50;

/**
 * The pause between two writes, in tenths of a second, and the lines of each. As few wake-ups as there can
 * be: with a thousand terminals they are what a load costs.
 */
export function paceOf(bytesPerSecond: number): { readonly ticks: number; readonly lines: number } {
  const worthwhile = (WORTHWHILE_LINES * LINE_BYTES * 10) / bytesPerSecond;
  const ticks = Math.min(MAX_TICKS, Math.max(1, Math.round(worthwhile)));
  const lines = Math.max(1, Math.round((bytesPerSecond * ticks) / 10 / LINE_BYTES));
  return { ticks, lines };
}

/**
 * In awk, since a shell's loop is too slow and its `sleep` a process each time. It sleeps by reading from the
 * terminal, which is set to answer after a time (VMIN 0, VTIME): no process, and the same in every awk.
 * Numbers stay below 2^31 and check values are sums, which no awk gets wrong.
 */
const AWK = `BEGIN {
  tty = "/dev/tty"; check = key
  for (;;) {
    for (left = lines; left > 0;) {
      out = ""
      for (i = 0; i < ${String(WRITE_LINES)} && left > 0; i++) {
        out = out sprintf("%09d %09d %s\\r\\n", number, check, text)
        number++; check += ${String(CHECK_STEP)}; left--
        if (check >= ${String(CHECK_PRIME)}) check -= ${String(CHECK_PRIME)}
        if (number == ${String(NUMBERS)}) { number = 0; check = key }
      }
      printf "%s", out
    }
    if (ticks > 0) {
      fflush()
      got = (getline typed < tty)
      if (got > 0) exit ${String(FINISHED_STATUS)}
      if (got < 0) exit 1
      close(tty)
    }
  }
}`;

const SILENT = 'stty raw -echo && exec cat';
/** Printed by what echoes once the kernel does not do so as well. Shells may print other things before. */
export const READY = 0x02;
export const ECHO = "stty raw -echo && printf '\\002' && exec cat";
const PRINTING = `stty raw -echo min 0 time "$1" && exec awk -v ticks="$1" -v lines="$2" -v key="$3" -v text="$4" '${AWK}'`;

/**
 * The command that makes a terminal print the lines of `pattern`, from the first byte of its output on. It
 * needs what POSIX asks of every system: sh, stty, awk and cat.
 */
export function producerCommand(pattern: LinePattern, output: Output): string[] {
  if (!isPrinting(output)) return ['/bin/sh', '-c', output.kind === 'echo' ? ECHO : SILENT];
  const { ticks, lines } =
    output.kind === 'max' ? { ticks: 0, lines: WRITE_LINES } : paceOf(output.bytesPerSecond);
  const numbers = [ticks, lines, pattern.key].map(String);
  return ['/bin/sh', '-c', PRINTING, 'holdfast-load', ...numbers, pattern.text];
}
