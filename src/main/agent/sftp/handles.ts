import { close as closeFd, type Dir } from 'node:fs';

import { callVoid } from './calls.js';
import { STATUS } from './protocol.js';
import { StatusError } from './status.js';

/** An open file. */
export interface OpenFile {
  readonly kind: 'file';
  readonly fd: number;
  /** Which file it is, whatever name or handle it was reached by. */
  readonly key: string;
  /** Writes go to the end, wherever the client says. */
  readonly append: boolean;
}

/** An open folder. */
export interface OpenFolder {
  readonly kind: 'folder';
  readonly dir: Dir;
  /** Absolute, without a slash at the end unless it is the root. */
  readonly path: Buffer;
  readonly key: string;
  /** `.` and `..` went out; the iterator leaves them out, and clients expect them. */
  dotsSent: boolean;
  ended: boolean;
}

export type OpenHandle = OpenFile | OpenFolder;

/**
 * The handles of one session. A handle is four bytes; a number comes round again only after 2^32 others,
 * so a late request cannot reach a file that its client did not open under it.
 */
export class Handles {
  readonly #max: number;
  readonly #open = new Map<number, OpenHandle>();
  #last = -1;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @throws {StatusError} if no more can be opened. Asked before a file is made for nothing. */
  checkRoom(): void {
    if (this.#open.size >= this.#max) {
      throw new StatusError(STATUS.FAILURE, `More than ${this.#max} open handles`);
    }
  }

  /** Takes ownership of `handle`. The table is full: closes it. @throws {StatusError} then. */
  async add(handle: OpenHandle): Promise<Buffer> {
    try {
      this.checkRoom();
    } catch (error) {
      await closeHandle(handle);
      throw error;
    }
    do this.#last = (this.#last + 1) >>> 0;
    while (this.#open.has(this.#last));
    this.#open.set(this.#last, handle);
    const name = Buffer.alloc(4);
    name.writeUInt32BE(this.#last);
    return name;
  }

  /** The handle of that name, or undefined: never opened, or closed. */
  find(name: Buffer): OpenHandle | undefined {
    return name.length === 4 ? this.#open.get(name.readUInt32BE()) : undefined;
  }

  file(name: Buffer): OpenFile | undefined {
    const handle = this.find(name);
    return handle?.kind === 'file' ? handle : undefined;
  }

  folder(name: Buffer): OpenFolder | undefined {
    const handle = this.find(name);
    return handle?.kind === 'folder' ? handle : undefined;
  }

  /** Removes a handle; from now on its name means nothing, and the caller owns and closes it. */
  take(name: Buffer): OpenHandle | undefined {
    const handle = this.find(name);
    if (handle !== undefined) this.#open.delete(name.readUInt32BE());
    return handle;
  }

  /** Closes all of them. Call it when nothing is at work on them. Never rejects. */
  async closeAll(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled(all.map(closeHandle));
  }
}

/** @throws what `close(2)` reports: on some network file systems a write that failed. */
export async function closeHandle(handle: OpenHandle): Promise<void> {
  if (handle.kind === 'folder') await handle.dir.close();
  else await callVoid((done) => closeFd(handle.fd, done));
}
