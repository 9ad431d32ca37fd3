import type { OwnedBytes } from './byte-channel.js';

/** One buffer of its own, the caller's to keep, with the bytes of all `parts` in their order. */
export function joinBytes(parts: readonly Uint8Array[]): OwnedBytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
