/**
 * The callback form of a system call as a promise. The callback API with bare descriptors is used rather
 * than `fs.promises`, which costs a FileHandle and several promises for each call.
 */
export function call<T>(
  start: (done: (error: NodeJS.ErrnoException | null, value: T) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    start((error, value) => {
      if (error === null) resolve(value);
      else reject(error);
    });
  });
}

/** As {@link call}, for a call that yields nothing. */
export function callVoid(
  start: (done: (error?: NodeJS.ErrnoException | null) => void) => void,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    start((error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}
