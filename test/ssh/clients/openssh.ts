import type { Client, Command, Place } from '../types.js';
import { onTerminal, programPath, runWell } from '../run-command.js';
import { firstLine, missingPrograms } from './installed.js';

/** Options that lead to `place`, then those of this run. For ssh, sftp and scp alike. */
export function opensshCommand(
  place: Place,
  program: 'ssh' | 'sftp' | 'scp',
  ...args: readonly string[]
): Command {
  return {
    file: programPath(program),
    args: ['-F', place.sshConfig, '-o', 'LogLevel=ERROR', '-o', 'BatchMode=yes', ...args],
  };
}

/** Lines for the batch mode of OpenSSH's sftp and PuTTY's psftp. */
export function sftpLines(
  { putFrom, putTo, getFrom, getTo, list }: Parameters<NonNullable<Client['sftp']>>[1],
  lister: string,
): string {
  return `put "${putFrom}" "${putTo}"\nget "${getFrom}" "${getTo}"\n${lister} "${list}"\n`;
}

export const openssh: Client = {
  name: 'OpenSSH',
  packages: ['openssh-client'],
  missing: () => missingPrograms('ssh', 'sftp', 'scp', 'script'),
  version: async () => firstLine(programPath('ssh'), ['-V']),
  exec: (place, command) => opensshCommand(place, 'ssh', '-T', place.alias, command),
  shell: (place, size) => onTerminal(opensshCommand(place, 'ssh', place.alias), size),
  local: (place, listen, target) => forward(place, '-L', listen, target),
  remote: (place, listen, target) => forward(place, '-R', listen, target),
  sftp: (place, job) => ({
    ...opensshCommand(place, 'sftp', '-q', '-b', '-', place.alias),
    input: sftpLines(job, 'ls -1'),
  }),
};

function forward(place: Place, flag: string, listen: number, target: number): Command {
  const spec = `127.0.0.1:${String(listen)}:127.0.0.1:${String(target)}`;
  return opensshCommand(
    place,
    'ssh',
    ...['-N', '-o', 'ExitOnForwardFailure=yes', flag, spec, place.alias],
  );
}

/** Runs one command by OpenSSH's client, which is what the tools stand on. */
export function remotely(place: Place, command: string): Promise<string> {
  return runWell(place, opensshCommand(place, 'ssh', '-T', place.alias, command));
}
