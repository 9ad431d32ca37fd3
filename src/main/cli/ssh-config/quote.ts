import { HoldfastError } from '../../../shared/common/index.js';

/**
 * `text` as one word of a ProxyCommand. OpenSSH hands that line to the user's shell after expanding
 * `%` tokens, so both are escaped. Single quotes hold in sh, bash, zsh, fish and csh.
 * @throws {HoldfastError} ERR_UNSUPPORTED for a line break or NUL, which no ssh_config line can hold.
 */
export function quoteForProxyCommand(text: string): string {
  return `'${refuseBreaks(text).replaceAll('%', '%%').replaceAll("'", `'\\''`)}'`;
}

/**
 * `text` as one word of a KnownHostsCommand. OpenSSH runs that without a shell: it splits the line
 * itself (argv_split in misc.c: within double quotes a backslash escapes `\`, `"` and `'` only) and
 * then expands `%` tokens in each word.
 * @throws {HoldfastError} ERR_UNSUPPORTED for a line break or NUL.
 */
export function quoteForKnownHostsCommand(text: string): string {
  return `"${refuseBreaks(text).replaceAll('%', '%%').replace(/["\\]/g, '\\$&')}"`;
}

/** `text` as one word of a POSIX shell, left bare where that is plain to read. */
export function quoteForShell(text: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function refuseBreaks(text: string): string {
  if (/[\r\n\0]/.test(text)) {
    throw new HoldfastError(
      'ERR_UNSUPPORTED',
      `a path with a line break cannot stand in an ssh configuration: ${JSON.stringify(text)}`,
      { hint: 'Move Holdfast or its configuration to a folder without one.' },
    );
  }
  return text;
}
