import type { LogFields } from '../../common/index.js';

/** Characters kept of one text in a record; more is of no use in a log and may be an attack on it. */
const FIELD_CHARS = 256;
const MAX_DEPTH = 3;
const MAX_ITEMS = 32;
const REDACTED = '[redacted]';

/** By the end of the name, so that `tokenId` and `publicKey` stay readable. */
const SECRET_KEY =
  /(token|ticket|secret|password|passphrase|credential|credentials|authorization|cookie|private_?key|git_?key|api_?key|env|environment|environment_?variables|startup_?script)$/i;

/** Our own credentials and signed tokens, wherever in a text they are: an address, an error. */
const SECRET_VALUE = /hf_[a-z]+_[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]+){1,2}/g;

/** Line and paragraph separators, C1 controls, DEL and text direction: JSON leaves these as they are. */
const UNSAFE = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** What may be written of `fields`: capped, no secret, plain JSON values only. */
export function sanitizeFields(fields: LogFields): Record<string, unknown> {
  return sanitizeObject(fields, 0);
}

/** `text` without credentials, cut to the length of a field. */
export function sanitizeText(text: string): string {
  const clean = text.length < 16 ? text : text.replace(SECRET_VALUE, REDACTED);
  if (clean.length <= FIELD_CHARS) return clean;
  return `${clean.slice(0, FIELD_CHARS)}... (${String(clean.length)} characters)`;
}

/** `value` as JSON in one line of printable characters. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, escapeCharacter);
}

/** `text` in one line of printable characters, quotes and backslashes left alone. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f]/g, escapeCharacter).replace(UNSAFE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function sanitizeObject(source: object, depth: number): Record<string, unknown> {
  const plain: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  let items = 0;
  for (const [key, value] of Object.entries(source)) {
    if (value === undefined) continue;
    items += 1;
    if (items > MAX_ITEMS) {
      plain['...'] = 'more fields left out';
      break;
    }
    const name = key.slice(0, 64);
    plain[name] = SECRET_KEY.test(name) && value !== null ? REDACTED : sanitize(value, depth + 1);
  }
  return plain;
}

function sanitize(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return sanitizeText(value);
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return value.toString();
    case 'object':
      break;
    default:
      return sanitizeText(String(value));
  }
  if (value === null) return null;
  if (value instanceof Error) return sanitizeText(value.message);
  // Bytes may be terminal output or keys: their number is all that a log needs.
  if (ArrayBuffer.isView(value)) return `[${String(value.byteLength)} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth > MAX_DEPTH) return '[nested]';
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.slice(0, MAX_ITEMS).map((item) => sanitize(item, depth + 1));
  }
  return sanitizeObject(value, depth);
}
