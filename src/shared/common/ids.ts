import { HoldfastError } from './errors.js';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Name of a terminal: a canonical UUID, or 1-64 characters of `A-Z a-z 0-9 . _ -`. */
export type TerminalId = Brand<string, 'TerminalId'>;

/** One attached channel of a terminal; unique in an agent process. */
export type ViewerId = Brand<number, 'ViewerId'>;

/** One peer connection; unique in an agent process. */
export type ConnectionId = Brand<string, 'ConnectionId'>;

/** A fresh random value per PTY (16 hex digits), so that an old offset never matches a new log. */
export type Epoch = Brand<string, 'Epoch'>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const HEX_32 = /^[0-9a-f]{32}$/i;
const EPOCH = /^[0-9a-f]{16}$/;

/**
 * The canonical form of a UUID in any of the spellings that Go's `uuid.Parse` takes, since clients of
 * the original send those: plain, `urn:uuid:` before it, in braces, or 32 hex digits. Absent: none.
 */
export function parseUuid(text: string): string | undefined {
  let bare = text;
  if (/^urn:uuid:/i.test(bare) && bare.length === 45) bare = bare.slice(9);
  else if (bare.length === 38 && bare.startsWith('{') && bare.endsWith('}'))
    bare = bare.slice(1, -1);
  if (bare.length === 36) {
    if (bare[8] !== '-' || bare[13] !== '-' || bare[18] !== '-' || bare[23] !== '-')
      return undefined;
    bare =
      bare.slice(0, 8) +
      bare.slice(9, 13) +
      bare.slice(14, 18) +
      bare.slice(19, 23) +
      bare.slice(24);
  }
  if (!HEX_32.test(bare)) return undefined;
  const hex = bare.toLowerCase();
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

/**
 * The terminal id that `text` names. A UUID in any spelling becomes its canonical form, so that two
 * spellings are one terminal.
 * @throws {HoldfastError} ERR_CHANNEL_LABEL if it is neither a UUID nor a name.
 */
export function parseTerminalId(text: string): TerminalId {
  const uuid = parseUuid(text);
  if (uuid !== undefined) return uuid as TerminalId;
  if (NAME.test(text)) return text as TerminalId;
  throw new HoldfastError(
    'ERR_CHANNEL_LABEL',
    `not a terminal id: ${JSON.stringify(text.slice(0, 80))}`,
  );
}

/** @throws {HoldfastError} ERR_FRAME if `text` is not 16 lower-case hex digits. */
export function parseEpoch(text: string): Epoch {
  if (EPOCH.test(text)) return text as Epoch;
  throw new HoldfastError('ERR_FRAME', 'not an epoch');
}
