import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, Command, Place } from '../types.js';
import { onTerminal, programPath, quote, runWell } from '../run-command.js';
import { firstLine, missingPrograms } from './installed.js';
import { sftpLines } from './openssh.js';

const keyOf = (place: Place): string => join(place.home, 'id.dropbear');
/** For `sftp -S`. */
const wrapperOf = (place: Place): string => join(place.home, 'dbclient-for-sftp');

function base(place: Place): string[] {
  const key = place.keyFile === undefined ? [] : ['-i', keyOf(place)];
  return ['-p', String(place.port), '-l', place.user, ...key];
}

function dbclient(place: Place, before: readonly string[], ...after: readonly string[]): Command {
  return {
    file: programPath('dbclient'),
    args: [...base(place), ...before, place.host, ...after],
  };
}

const spec = (listen: number, target: number): string =>
  `127.0.0.1:${String(listen)}:127.0.0.1:${String(target)}`;

export const dropbear: Client = {
  name: 'dropbear',
  packages: ['dropbear-bin', 'openssh-client'],
  missing: () => missingPrograms('dbclient', 'dropbearconvert', 'sftp', 'script'),
  version: () => firstLine(programPath('dbclient'), ['-V']),
  prepare: async (place) => {
    if (place.keyFile !== undefined) {
      await runWell(place, {
        file: programPath('dropbearconvert'),
        args: ['openssh', 'dropbear', place.keyFile, keyOf(place)],
      });
    }
    // It looks in no other file, and its lines have no port.
    mkdirSync(join(place.home, '.ssh'), { recursive: true, mode: 0o700 });
    const known = join(place.home, '.ssh', 'known_hosts');
    copyFileSync(place.knownHosts, known);
    writeFileSync(known, `${place.host} ${place.hostKey}\n`);
    // sftp gives its program options that are OpenSSH's own.
    const run = [programPath('dbclient'), ...base(place)].map(quote).join(' ');
    writeFileSync(
      wrapperOf(place),
      [
        '#!/bin/sh',
        'for word; do shift; case $word in -o*|--) ;; *) set -- "$@" "$word" ;; esac; done',
        `exec ${run} "$@"\n`,
      ].join('\n'),
      { mode: 0o755 },
    );
  },
  exec: (place, command) => dbclient(place, ['-T'], command),
  shell: (place, size) => onTerminal(dbclient(place, ['-t']), size),
  local: (place, listen, target) => dbclient(place, ['-N', '-L', spec(listen, target)]),
  remote: (place, listen, target) => dbclient(place, ['-N', '-R', spec(listen, target)]),
  sftp: (place, job) => ({
    file: programPath('sftp'),
    args: ['-S', wrapperOf(place), '-b', '-', place.host],
    input: sftpLines(job, 'ls -1'),
  }),
};
