import { lstat, readlink, type BigIntStats } from 'node:fs';

import { call } from './calls.js';
import { STATUS } from './protocol.js';
import { hasCode, StatusError } from './status.js';

/** Links followed in one path before it counts as a loop; the kernel's own number. */
const MAX_LINKS = 40;

/** `PATH_MAX` of Linux, with its NUL. */
const PATH_BYTES = 4096;

/**
 * File names of one session. Names are bytes; where they must be cut at slashes they are held as latin1
 * text, which maps every byte to one character and back.
 */
export class Names {
  readonly #cwd: string;

  /** `cwd`: absolute; where relative names start. */
  constructor(cwd: string) {
    this.#cwd = Buffer.from(cwd).toString('latin1');
  }

  /**
   * The name to give to a system call. A copy, so that the packet it came in can go. An empty one stays empty: the
   * kernel refuses it, but of two names looks at the other one first.
   * @throws {StatusError} for a name with a NUL in it.
   */
  absolute(name: Buffer): Buffer {
    return name.length === 0 ? Buffer.alloc(0) : Buffer.from(this.#from(name), 'latin1');
  }

  /**
   * The name with all links, `.` and `..` resolved. Unlike `realpath(3)`, and like OpenSSH, the last
   * part need not exist: clients ask for the names of files that they are about to make.
   * @throws {StatusError} ELOOP as no such file. @throws whatever lstat and readlink do.
   */
  async real(name: Buffer): Promise<Buffer> {
    const whole = this.#from(name);
    // As the kernel does before it looks at any part.
    if (whole.length >= PATH_BYTES) throw new StatusError(STATUS.BAD_MESSAGE, 'Name too long');
    let rest = whole.split('/');
    let resolved = '';
    let links = 0;
    for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        resolved = resolved.slice(0, Math.max(resolved.lastIndexOf('/'), 0));
        continue;
      }
      const next = `${resolved}/${part}`;
      const stats = await this.#lstatOrMissing(next, rest.length === 0);
      if (stats?.isSymbolicLink() !== true) {
        resolved = next;
        continue;
      }
      links += 1;
      if (links > MAX_LINKS) throw new StatusError(STATUS.NO_SUCH_FILE, 'Too many symbolic links');
      const target = await call<Buffer>((done) => {
        readlink(Buffer.from(next, 'latin1'), { encoding: 'buffer' }, done);
      });
      const text = target.toString('latin1');
      if (text.startsWith('/')) resolved = '';
      rest = [...text.split('/'), ...rest];
    }
    return Buffer.from(resolved === '' ? '/' : resolved, 'latin1');
  }

  async #lstatOrMissing(path: string, mayMiss: boolean): Promise<BigIntStats | undefined> {
    try {
      return await call<BigIntStats>((done) => {
        lstat(Buffer.from(path, 'latin1'), { bigint: true }, done);
      });
    } catch (error) {
      if (mayMiss && hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  #from(name: Buffer): string {
    checkNoNul(name);
    const text = name.toString('latin1');
    return text.startsWith('/') ? text : `${this.#cwd}/${text}`;
  }
}

/** @throws {StatusError} if `name` holds a NUL, which would cut it short in a system call. */
export function checkNoNul(name: Buffer): void {
  if (name.includes(0)) throw new StatusError(STATUS.BAD_MESSAGE, 'File name holds a NUL');
}
