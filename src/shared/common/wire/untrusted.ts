/** Reading JSON that the other end made, field by field. Platform-free; no schema library in the page. */

/** The object that `text` is as JSON. Absent: it is none. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `value` if it is a whole number from 0 to 2^53 - 1. */
export function wholeNumber(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/**
 * `value` as text of one line that cannot move a cursor or reorder what stands beside it, at most `max`
 * UTF-16 units of it. Absent: it is no text.
 */
export function plainText(value: unknown, max: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  // C0, DEL, C1, and the marks that separate lines or reorder text.
  return value
    .slice(0, max)
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '?');
}
