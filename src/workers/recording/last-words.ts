import { limits } from '../../shared/common/index.js';
import { CastParser } from '../../shared/common/recording/index.js';
import type { GrowingFile } from './growing-file.js';

/** So much of the end is given up: several blocks of any file system, so that one of them is free again. */
const DROP_BYTES = 16 * limits.KIB;
/** Looked at for a line to cut before; longer than the longest line of ours. */
const TAIL_BYTES = 512 * limits.KIB;

/** What {@link dropTail} cut off. */
export interface DroppedTail {
  readonly ms: number;
  readonly outputBytes: number;
}

/** Cuts the last lines off an asciicast to make room for a last word on a full disk. Its header stays. */
export async function dropTail(file: GrowingFile): Promise<DroppedTail> {
  const from = Math.max(0, file.bytes - TAIL_BYTES);
  const tail = await file.read(from, file.bytes);
  const headerEnd = from === 0 ? tail.indexOf('\n') + 1 : 0;
  const wanted = Math.max(headerEnd, tail.length - DROP_BYTES);
  // From there back to the end of a line; the one before it may hold the raw bytes of the next.
  let cut = wanted <= headerEnd ? headerEnd : tail.lastIndexOf('\n', wanted - 1) + 1;
  const before = tail.lastIndexOf('\n', cut - 2) + 1;
  if (cut > headerEnd && tail[before] === HASH) cut = before;
  cut = Math.max(cut, headerEnd);
  await file.shorten(from + cut);
  return measure(tail.subarray(cut));
}

const HASH = 0x23;

function measure(lines: Uint8Array): DroppedTail {
  const header = { version: 3 as const, size: { rows: 1, cols: 1 }, title: '' };
  const parser = new CastParser({
    header: { ...header, timestamp: undefined, idleLimitMs: undefined },
    position: 0,
    at: 0,
  });
  let ms = 0;
  let outputBytes = 0;
  for (const event of parser.push(lines)) {
    ms = event.at;
    if (event.code === 'o') outputBytes += (event.raw ?? Buffer.from(event.data)).length;
  }
  return { ms, outputBytes };
}
