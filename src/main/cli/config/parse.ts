import { isAbsolute, resolve } from 'node:path';

/** What is wrong with a value; the resolver adds the field and where the value came from. */
export class BadValue extends Error {}

/**
 * Reads one value. `value` is a string from a flag or the environment, or any JSON from the config
 * file. `base` is the folder that relative paths start from: the working directory, or the folder of
 * the config file.
 * @throws {BadValue}
 */
export type Parse<T> = (value: unknown, base: string) => T;

/** Any text without a NUL. Empty text is refused: it is nearly always an unset shell variable. */
export const text: Parse<string> = (value) => {
  if (typeof value !== 'string') throw new BadValue('must be text');
  if (value === '') throw new BadValue('must not be empty');
  if (value.includes('\0')) throw new BadValue('must not hold a NUL character');
  return value;
};

/** A path, made absolute. */
export const path: Parse<string> = (value, base) => {
  const given = text(value, base);
  return isAbsolute(given) ? resolve(given) : resolve(base, given);
};

/** A path, made absolute, or the word `none`, as which no file of the working directory is taken. */
export const pathOrNone: Parse<string | false> = (value, base) =>
  value === 'none' || value === false ? false : path(value, base);

/** `true` or `false`; from the environment also 1, 0, yes, no, on, off. */
export const flag: Parse<boolean> = (value) => {
  if (typeof value === 'boolean') return value;
  switch (typeof value === 'string' ? value.toLowerCase() : '') {
    case '1':
    case 'true':
    case 'yes':
    case 'on':
      return true;
    case '0':
    case 'false':
    case 'no':
    case 'off':
      return false;
    default:
      throw new BadValue('must be true or false');
  }
};

/** A whole number within bounds, both included. */
export function integer(min: number, max: number): Parse<number> {
  return (value) => {
    const number =
      typeof value === 'string' && /^-?[0-9]{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max) {
      throw new BadValue(`must be a whole number from ${String(min)} to ${String(max)}`);
    }
    return number;
  };
}

/** One of a closed set of words. */
export function oneOf<const T extends string>(words: readonly T[]): Parse<T> {
  return (value) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw new BadValue(`must be one of ${words.join(', ')}`);
    return found;
  };
}

/** A list of texts; a flag gives it whole or repeated, the environment with commas in between. */
export const list: Parse<readonly string[]> = (value, base) => {
  const items = Array.isArray(value) ? value : text(value, base).split(',');
  return Object.freeze(items.map((item: unknown) => text(item, base).trim()));
};

/** The address of a broker: an http or https origin, returned without a slash at the end. */
export const brokerUrl: Parse<string> = (value, base) => {
  const given = text(value, base);
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw new BadValue('must be an address such as https://broker.example');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new BadValue('must start with http:// or https://');
  }
  // Not echoed: what stands there may be a credential.
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new BadValue('must not hold credentials, a query or a fragment');
  }
  if (url.pathname !== '/') throw new BadValue('must not hold a path');
  return url.origin;
};

/** A length of time in milliseconds: `90s`, `5m`, `24h`, or `0` for never. A bare number is seconds. */
export const duration: Parse<number> = (value) => {
  const match = /^([0-9]{1,9})(ms|s|m|h|d)?$/.exec(
    typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '',
  );
  if (match === null) throw new BadValue('must be a time such as 90s, 5m or 24h');
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? 's'] ?? 1;
  const ms = Number(match[1]) * unit;
  // Well below 2^31 ms, beyond which setTimeout fires at once.
  if (ms > 7 * 86_400_000) throw new BadValue('must not be longer than 7d');
  return ms;
};

/** A {@link duration} within bounds in milliseconds, both included; so 0 is not "never". */
export function durationWithin(min: number, max: number): Parse<number> {
  return (value, base) => {
    const ms = duration(value, base);
    if (ms >= min && ms <= max) return ms;
    throw new BadValue(`must be from ${String(min)}ms to ${String(max)}ms`);
  };
}

/** `HOST:PORT`, `:PORT` or `PORT`; IPv6 in brackets. The host defaults to 127.0.0.1. */
export const listenAddress: Parse<ListenAddress> = (value, base) => {
  const given = typeof value === 'number' ? String(value) : text(value, base);
  const match = /^(?:(\[[0-9a-fA-F:.%a-z]+\]|[^:[\]/\s]*):)?([0-9]{1,5})$/.exec(given);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) throw new BadValue('must read HOST:PORT');
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  return Object.freeze({ host: host === '' ? '127.0.0.1' : host, port });
};

/** An address to listen on. */
export interface ListenAddress {
  /** Without brackets, also for IPv6. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}
