import { HoldfastError, limits } from '../../../shared/common/index.js';
import { BadValue, duration } from '../../cli/config/index.js';
import type { Output } from '../lines/index.js';

/** So many terminals of one kind. */
export interface TerminalGroup {
  readonly count: number;
  readonly output: Output;
}

/** Something that happens again and again. */
export type Frequency =
  /** One by one, evenly over the time. */
  | { readonly kind: 'count'; readonly count: number; readonly everyMs: number }
  /** To a share of all (0 to 1) at a time, at least one. */
  | { readonly kind: 'share'; readonly share: number; readonly everyMs: number };

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: limits.KIB,
  kib: limits.KIB,
  kb: 1_000,
  m: limits.MIB,
  mib: limits.MIB,
  mb: 1_000_000,
  g: 1_024 * limits.MIB,
  gib: 1_024 * limits.MIB,
  gb: 1_000_000_000,
};
/** Slower than this a terminal does not show within a few seconds that it is alive. */
const MIN_RATE = 100;
const MAX_RATE = 1_024 * limits.MIB;
const MIN_EVERY_MS = 10;

/** @throws {HoldfastError} ERR_INVALID_ARGUMENT, naming `flag`. */
export function wrong(flag: string, text: string, why: string): HoldfastError {
  return new HoldfastError(
    'ERR_INVALID_ARGUMENT',
    `${flag} ${JSON.stringify(text.slice(0, 80))}: ${why}`,
    { hint: 'See `holdfast-load --help`.' },
  );
}

/** A whole number from `min` to `max`. */
export function readCount(flag: string, text: string, min: number, max: number): number {
  const value = /^[0-9]{1,12}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw wrong(flag, text, `must be a whole number from ${String(min)} to ${String(max)}`);
}

/** Milliseconds of a time such as `90s`; 0 where that means for ever. */
export function readTime(flag: string, text: string): number {
  try {
    return duration(text, '');
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw wrong(flag, text, error.message);
  }
}

/** Bytes of a size such as `10MiB`; `K`, `M` and `G` are powers of 1024, `KB` and so on of 1000. */
export function readSize(flag: string, text: string): number {
  const match = /^([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([a-z]{0,3})$/i.exec(text);
  const unit = UNITS[(match?.[2] ?? '?').toLowerCase()];
  if (match === null || unit === undefined) {
    throw wrong(flag, text, 'must be a size such as 500B, 10KiB or 1.5MiB');
  }
  return Math.round(Number(match[1]) * unit);
}

/** What a terminal prints: `10KiB/s`, `max` or `silent`. */
export function readOutput(flag: string, text: string): Output {
  if (text === 'silent' || text === '0') return { kind: 'silent' };
  if (text === 'max') return { kind: 'max' };
  let bytesPerSecond = NaN;
  try {
    bytesPerSecond = readSize(flag, text.replace(/\/s$/, ''));
  } catch {
    // Said below, with the words that stand for a rate.
  }
  if (Number.isNaN(bytesPerSecond)) {
    throw wrong(flag, text, 'must be a rate such as 10KiB/s, or max, or silent');
  }
  if (bytesPerSecond < MIN_RATE || bytesPerSecond > MAX_RATE) {
    throw wrong(flag, text, 'must be from 100B/s to 1GiB/s');
  }
  return { kind: 'rate', bytesPerSecond };
}

/** `20`, or `1000@1KiB/s,100@max`. @param output Of those that say none. */
export function readTerminals(flag: string, text: string, output: Output): TerminalGroup[] {
  const groups = text.split(',').map((part) => {
    const [count = '', rate] = part.trim().split('@');
    return {
      count: readCount(flag, count, 0, limits.MAX_TERMINALS),
      output: rate === undefined ? output : readOutput(flag, rate),
    };
  });
  const total = groups.reduce((sum, { count }) => sum + count, 0);
  if (total > limits.MAX_TERMINALS) {
    throw wrong(flag, text, `an agent has at most ${String(limits.MAX_TERMINALS)} terminals`);
  }
  return groups.filter(({ count }) => count > 0);
}

/** `5/s`, `2/10s` or `10%/3s`. Absent: never, which is `0`. */
export function readFrequency(flag: string, text: string): Frequency | undefined {
  if (text === '0') return undefined;
  const match = /^([0-9]{1,6}(?:\.[0-9]{1,6})?)(%?)\/([0-9]{0,6})(ms|s|m|h)$/.exec(text);
  if (match === null) {
    throw wrong(flag, text, 'must be so many in a time, such as 5/s or 2/10s, or a share: 10%/3s');
  }
  const [, amountText = '', percent, times = '', unit = 's'] = match;
  const amount = Number(amountText);
  const everyMs = readTime(flag, `${times === '' ? '1' : times}${unit}`);
  if (everyMs < MIN_EVERY_MS) throw wrong(flag, text, 'more often than every 10ms is too often');
  if (amount === 0) return undefined;
  if (percent === '%') {
    if (amount > 100) throw wrong(flag, text, 'more than 100% cannot be meant');
    return { kind: 'share', share: amount / 100, everyMs };
  }
  if (amount / everyMs > 1 / MIN_EVERY_MS) throw wrong(flag, text, 'at most 100 a second');
  return { kind: 'count', count: amount, everyMs };
}
