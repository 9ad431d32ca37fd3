import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { HoldfastError, limits } from '../../../shared/common/index.js';
import {
  openRecording,
  parseIndex,
  type Keyframe,
  type OpenRecording,
  type RecordingIndex,
} from '../../../shared/common/recording/index.js';
import { indexFileOf } from '../recordings/index.js';

/**
 * The asciicast in `file`, of version 2 or 3, with its index if one lies beside it.
 * @throws {HoldfastError} ERR_NOT_FOUND, ERR_RECORDING_FORMAT.
 */
export async function openFile(file: string): Promise<OpenRecording> {
  const bytes = await sizeOf(file);
  const { keyframes, end } = await readIndex(indexFileOf(file));
  const isWhole = end?.bytes === bytes;
  const usable = await belonging(file, keyframes, bytes);
  return await openRecording(
    {
      async *read(offset) {
        for await (const chunk of createReadStream(file, { start: offset })) {
          yield chunk as Uint8Array;
        }
      },
    },
    { keyframes: usable, bytes, durationMs: isWhole ? end.durationMs : undefined },
  );
}

async function sizeOf(file: string): Promise<number> {
  try {
    const found = await stat(file);
    if (found.isFile()) return found.size;
  } catch (error) {
    throw new HoldfastError('ERR_NOT_FOUND', `cannot read ${file}`, {
      cause: error,
      hint: 'Give a file, or WORKSPACE:NAME of a recording in a workspace.',
    });
  }
  throw new HoldfastError('ERR_RECORDING_FORMAT', `${file} is no plain file`);
}

async function readIndex(file: string): Promise<RecordingIndex> {
  try {
    const { size } = await stat(file);
    if (size > limits.RECORDING_INDEX_BYTES) return { keyframes: [], end: undefined };
    return parseIndex(await readFile(file, 'utf8'));
  } catch {
    return { keyframes: [], end: undefined };
  }
}

/** Keyframes only if each stands at the beginning of a line: else the index is of another file. */
async function belonging(
  file: string,
  keyframes: readonly Keyframe[],
  bytes: number,
): Promise<readonly Keyframe[]> {
  if (keyframes.length === 0) return keyframes;
  const handle = await open(file);
  try {
    const before = Buffer.alloc(1);
    for (const { position } of keyframes) {
      if (position > bytes) return [];
      await handle.read(before, 0, 1, position - 1);
      if (before.toString() !== '\n') return [];
    }
    return keyframes;
  } finally {
    await handle.close();
  }
}
