/**
 * `word` as one word for a POSIX shell, whatever it contains. Git hands GIT_SSH_COMMAND to `sh -c`, so
 * an install path with spaces, quotes or `$(...)` must come out as it is.
 * @throws {RangeError} for a NUL, which no argument can hold.
 */
export function quoteForShell(word: string): string {
  if (word.includes('\0')) throw new RangeError('an argument cannot hold a NUL');
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
