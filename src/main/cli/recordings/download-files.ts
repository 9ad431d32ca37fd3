import { open, unlink, type FileHandle } from 'node:fs/promises';
import { HoldfastError } from '../../../shared/common/index.js';
import { openDownload } from '../../../shared/common/recording/index.js';
import type { RecordingPart } from '../../../shared/common/wire/index.js';
import type { WorkspaceLink } from '../workspace-link.js';

/** Where the index of the recording in `file` is kept. */
export function indexFileOf(file: string): string {
  return `${file.replace(/\.cast$/, '')}.idx`;
}

interface Part {
  readonly part: RecordingPart;
  readonly path: string;
  readonly handle: FileHandle;
}

/** The two files that a recording is fetched into. They are made at once, so that a bad name shows early. */
export class DownloadFiles {
  readonly #parts: readonly Part[];

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** Makes new files only. @throws {HoldfastError} ERR_INVALID_ARGUMENT if one exists or cannot be made. */
  static async create(file: string): Promise<DownloadFiles> {
    const parts: Part[] = [];
    try {
      for (const [part, path] of [
        ['cast', file],
        ['index', indexFileOf(file)],
      ] as const) {
        parts.push({ part, path, handle: await open(path, 'wx', 0o600) });
      }
    } catch (error) {
      await new DownloadFiles(parts).discard();
      const why = error instanceof Error ? error.message : String(error);
      throw new HoldfastError('ERR_INVALID_ARGUMENT', `cannot write there: ${why}`, {
        cause: error,
        hint: 'Choose a file that does not exist yet.',
      });
    }
    return new DownloadFiles(parts);
  }

  /** Fetches `name` into them. Resolves with the length of the recording, in bytes. */
  async fill(link: WorkspaceLink, name: string): Promise<number> {
    let bytes = 0;
    for (const { part, handle } of this.#parts) {
      const download = await openDownload(
        (label) => link.openChannel({ label, protocol: 'recording' }),
        { name, part, offset: 0 },
      );
      for await (const chunk of download.chunks()) await handle.appendFile(chunk);
      if (part === 'cast') bytes = download.bytes;
      await handle.close();
    }
    return bytes;
  }

  /** Removes them: there was nothing to put in. */
  async discard(): Promise<void> {
    for (const { handle, path } of this.#parts) {
      await handle.close().catch(() => undefined);
      await unlink(path).catch(() => undefined);
    }
  }
}
