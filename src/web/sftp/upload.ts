import { HoldfastError } from '../../shared/common/index.js';
import { WRITE_BYTES, type Handle, type SftpClient } from './sftp-client.js';

/** What is uploaded; a `File` of the browser is one. */
export interface UploadSource {
  readonly name: string;
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

export interface UploadOptions {
  /** Absolute path of the new file. */
  readonly target: string;
  /** Permission bits. Absent: what the workspace gives to new files. */
  readonly mode: number | undefined;
  /** False: fails if there is a file of that name by then. */
  readonly overwrite: boolean;
  readonly signal: AbortSignal;
  /** Called with the bytes that the agent has written. */
  readonly progress: (bytes: number) => void;
}

/** Writes that are not answered yet: enough to fill a fast link, little enough to cancel at once. */
export const WRITES_AT_A_TIME = 16;
const NAME_BYTES = 255;

/**
 * Uploads one file: under a temporary name beside the target, which it takes when it is complete, so
 * that nobody ever sees half a file. What fails or is cancelled leaves nothing behind.
 * @throws {HoldfastError} ERR_CLOSED if cancelled. {SftpStatusError} what the agent refused.
 */
export async function uploadFile(
  sftp: SftpClient,
  source: UploadSource,
  options: UploadOptions,
): Promise<void> {
  const { target, overwrite, signal } = options;
  throwIfCancelled(signal);
  const temporary = temporaryName(target);
  const handle = await sftp.create(temporary, options.mode);
  let open = true;
  try {
    await writeAll(sftp, handle, source, options);
    open = false;
    await sftp.close(handle);
    throwIfCancelled(signal);
    if (overwrite) await sftp.replace(temporary, target);
    else await sftp.rename(temporary, target);
  } catch (error) {
    if (open) await sftp.close(handle).catch(() => undefined);
    await sftp.remove(temporary).catch(() => undefined);
    throw error;
  }
}

async function writeAll(
  sftp: SftpClient,
  handle: Handle,
  source: UploadSource,
  { signal, progress }: UploadOptions,
): Promise<void> {
  const pending = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let written = 0;
  for (let at = 0; at < source.size && failure === undefined; at += WRITE_BYTES) {
    const end = Math.min(source.size, at + WRITE_BYTES);
    // The browser reads it from the disk only now.
    const data = new Uint8Array(await source.slice(at, end).arrayBuffer());
    if (signal.aborted) break;
    const write = sftp.write(handle, at, data).then(
      () => {
        written += data.length;
        progress(written);
      },
      (error: unknown) => {
        failure ??= { error };
      },
    );
    pending.add(write);
    void write.finally(() => pending.delete(write));
    if (pending.size >= WRITES_AT_A_TIME) await Promise.race(pending);
  }
  await Promise.all(pending);
  throwIfCancelled(signal);
  if (failure !== undefined) throw failure.error;
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new HoldfastError('ERR_CLOSED', 'cancelled');
}

/** Hidden, beside the target, unlike any other, and not too long for a file system. */
function temporaryName(target: string): string {
  const at = target.lastIndexOf('/') + 1;
  const random = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
  const ending = `.${random}.part`;
  let name = target.slice(at);
  while (new TextEncoder().encode(name).length + ending.length + 1 > NAME_BYTES) {
    name = Array.from(name).slice(0, -1).join('');
  }
  return `${target.slice(0, at)}.${name}${ending}`;
}

/** `folder` and `name` as one path. */
export function joinPath(folder: string, name: string): string {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

/** A file of another name beside `name`: `a (2).txt`. */
export function numberedName(name: string, number: number): string {
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  return `${stem} (${String(number)})${ending}`;
}

/** Whether `name`, which a browser gives a dropped file, names a file in the folder it is put into. */
export function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
}
