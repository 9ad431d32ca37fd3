import type { Client, Command, Place } from '../types.js';

/** A library, behind a small program of this suite; all of them take the same arguments. */
export interface ProgramClient {
  readonly name: string;
  readonly packages: readonly string[];
  readonly missing: Client['missing'];
  readonly version: Client['version'];
  readonly prepare?: NonNullable<Client['prepare']>;
  /** Program and arguments before those of every such program. */
  readonly command: () => readonly [string, ...string[]];
  readonly lacks?: NonNullable<Client['lacks']>;
}

/**
 * The client that such a program is:
 * `PROGRAM HOST PORT USER KEY|- KNOWN_HOSTS MODE ...`, where MODE is one of
 * `exec COMMAND`, `shell ROWS COLS`, `local LISTEN TARGET`, `remote LISTEN TARGET` (ports on loopback) and
 * `sftp PUT_FROM PUT_TO GET_FROM GET_TO LIST`. Without a key it logs in by the method "none". The status is
 * that of the remote command; 254 is a failure of its own, with the reason on standard error.
 */
export function programClient(program: ProgramClient): Client {
  const { name, packages, missing, version, prepare, lacks } = program;
  const command = (place: Place, ...mode: readonly (string | number)[]): Command => {
    const [file, ...args] = program.command();
    const { host, port, user, keyFile, knownHosts } = place;
    return {
      file,
      args: [...args, host, String(port), user, keyFile ?? '-', knownHosts, ...mode.map(String)],
    };
  };
  return {
    ...{ name, packages, missing, version },
    ...(prepare === undefined ? {} : { prepare }),
    ...(lacks === undefined ? {} : { lacks }),
    exec: (place, text) => command(place, 'exec', text),
    shell: (place, { rows, cols }) => command(place, 'shell', rows, cols),
    local: (place, listen, target) => command(place, 'local', listen, target),
    remote: (place, listen, target) => command(place, 'remote', listen, target),
    ...(lacks?.sftp === undefined && {
      sftp: (place, { putFrom, putTo, getFrom, getTo, list }) =>
        command(place, 'sftp', putFrom, putTo, getFrom, getTo, list),
    }),
  };
}
