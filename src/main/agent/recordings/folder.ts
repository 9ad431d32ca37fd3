import { constants } from 'node:fs';
import { open, readdir, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, limits } from '../../../shared/common/index.js';
import { parseIndex, type RecordingEnd } from '../../../shared/common/recording/index.js';
import {
  isRecordingName,
  RECORDING_ENDS,
  type RecordingEndReason,
  type RecordingInfo,
  type RecordingPart,
} from '../../../shared/common/wire/index.js';
import { errno, openStateDir } from '../../../shared/node/state/index.js';

const SUFFIXES: Readonly<Record<RecordingPart, string>> = { cast: '.cast', index: '.idx' };
/** Longer than any header of ours. */
const HEADER_BYTES = 4 * limits.KIB;
/** The end of an index, where its last keyframe may stand before the end. */
const TAIL_BYTES = 256 * limits.KIB;

/** A recording's file, open for reading. */
export interface OpenPart {
  readonly handle: FileHandle;
  readonly bytes: number;
}

/**
 * The folder of recordings: only this user can enter it, and nothing in it is followed anywhere else. What
 * it holds is read from the files themselves, so it is right after a restart, too.
 */
export class RecordingFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes or checks the folder. @throws {HoldfastError} ERR_STATE_DIR. */
  async prepare(): Promise<void> {
    await openStateDir(this.path);
  }

  /** Names of the recordings that are there. */
  async names(): Promise<string[]> {
    const entries = await readdir(this.path, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(SUFFIXES.cast))
      .map(({ name }) => name.slice(0, -SUFFIXES.cast.length))
      .filter(isRecordingName)
      .sort();
  }

  /** What both files of a recording take, in bytes. */
  async size(name: string): Promise<number> {
    let bytes = 0;
    for (const part of ['cast', 'index'] as const) {
      const open = await this.open(name, part).catch(() => undefined);
      bytes += open?.bytes ?? 0;
      await open?.handle.close();
    }
    return bytes;
  }

  /** @throws {HoldfastError} ERR_RECORDING_NOT_FOUND if there is none, or it is not a file of ours. */
  async open(name: string, part: RecordingPart): Promise<OpenPart> {
    const path = join(this.path, `${name}${SUFFIXES[part]}`);
    let handle: FileHandle | undefined;
    try {
      const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
      handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      const found = await handle.stat();
      if (!found.isFile() || found.nlink > 1) throw recordingNotFound(name);
      return { handle, bytes: found.size };
    } catch (error) {
      await handle?.close();
      if (error instanceof HoldfastError) throw error;
      throw recordingNotFound(name, error);
    }
  }

  /** A recording that nobody writes now, from its files. Absent: it does not read like one. */
  async describe(name: string): Promise<RecordingInfo | undefined> {
    const cast = await this.open(name, 'cast').catch(() => undefined);
    if (cast === undefined) return undefined;
    let header: Header | undefined;
    try {
      header = parseHeader((await readPart(cast, 0, HEADER_BYTES)).toString());
    } finally {
      await cast.handle.close();
    }
    if (header === undefined) return undefined;
    const { end, lastAt } = await this.#end(name);
    return {
      name,
      ...header,
      ...(end === undefined
        ? { state: 'interrupted', missing: 0, durationMs: lastAt }
        : {
            state: 'ended',
            missing: end.missing,
            durationMs: end.durationMs,
            reason: reasonOf(end),
          }),
      bytes: cast.bytes,
    };
  }

  /** Removes both files. @throws {HoldfastError} ERR_RECORDING_NOT_FOUND. */
  async remove(name: string): Promise<void> {
    await unlink(join(this.path, `${name}${SUFFIXES.index}`)).catch(() => undefined);
    try {
      await unlink(join(this.path, `${name}${SUFFIXES.cast}`));
    } catch (error) {
      throw errno(error) === 'ENOENT' ? recordingNotFound(name) : error;
    }
  }

  async #end(name: string): Promise<{ end: RecordingEnd | undefined; lastAt: number }> {
    const index = await this.open(name, 'index').catch(() => undefined);
    if (index === undefined) return { end: undefined, lastAt: 0 };
    try {
      const first = await readPart(index, 0, HEADER_BYTES);
      const line = first.subarray(0, first.indexOf('\n') + 1);
      const tail = await readPart(
        index,
        Math.max(line.length, index.bytes - TAIL_BYTES),
        TAIL_BYTES,
      );
      const { end, keyframes } = parseIndex(Buffer.concat([line, tail]).toString());
      return { end, lastAt: keyframes.at(-1)?.at ?? 0 };
    } finally {
      await index.handle.close();
    }
  }
}

export function recordingNotFound(name: string, cause?: unknown): HoldfastError {
  const shown = JSON.stringify(name.slice(0, limits.RECORDING_NAME_LENGTH));
  return new HoldfastError('ERR_RECORDING_NOT_FOUND', `no recording ${shown}`, { cause });
}

type Header = Pick<RecordingInfo, 'terminal' | 'startedAt' | 'input'>;

function parseHeader(text: string): Header | undefined {
  try {
    const header = JSON.parse(text.slice(0, text.indexOf('\n'))) as Record<string, unknown>;
    const own = header['holdfast'] as Record<string, unknown>;
    const { terminal, input } = own;
    const { timestamp } = header;
    if (typeof terminal !== 'string' || typeof timestamp !== 'number') return undefined;
    const startedAt = new Date(timestamp * 1_000).toISOString();
    return { terminal, startedAt, input: input === true };
  } catch {
    return undefined;
  }
}

function reasonOf({ reason }: RecordingEnd): RecordingEndReason {
  return RECORDING_ENDS.find((word) => word === reason) ?? 'closed';
}

async function readPart({ handle, bytes }: OpenPart, from: number, max: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, Math.min(max, bytes - from)));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
  return buffer.subarray(0, bytesRead);
}
