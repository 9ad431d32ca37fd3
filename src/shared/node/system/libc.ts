import { createRequire } from 'node:module';
import { HoldfastError } from '../../common/index.js';

type Library = ReturnType<typeof import('koffi').load>;

let library: Library | undefined;

/**
 * A function of the C library that yields a number, given by its prototype in C. Call this once and keep what it gives.
 * koffi is loaded with the first one: it has a native part, and many processes need none.
 * @throws {HoldfastError} ERR_UNSUPPORTED on Windows.
 */
export function libraryFunction(prototype: string): (...values: readonly unknown[]) => number {
  return openLibrary().func(prototype) as (...values: readonly unknown[]) => number;
}

/**
 * As {@link libraryFunction}, and runs in a thread of libuv's. What it is given must stay as it is, and alive, until it
 * has resolved.
 */
export function asyncLibraryFunction(
  prototype: string,
): (...values: readonly unknown[]) => Promise<number> {
  const made = openLibrary().func(prototype);
  return (...values) =>
    new Promise((resolve, reject) => {
      made.async(...values, (error: Error | null, result: number) => {
        if (error === null) resolve(result);
        else reject(error);
      });
    });
}

function openLibrary(): Library {
  if (library === undefined) {
    if (process.platform === 'win32') {
      throw new HoldfastError('ERR_UNSUPPORTED', 'there is no C library of POSIX on Windows');
    }
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    library = koffi.load(null);
  }
  return library;
}

/** `make` on first use, and the same thing from then on. */
export function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
