import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import type { Client, Command, Place } from '../types.js';
import { onTerminal, programPath, runWell } from '../run-command.js';
import { firstLine, missingPrograms } from './installed.js';
import { sftpLines } from './openssh.js';

const keyOf = (place: Place): string => join(place.home, 'id.ppk');

/** `SHA256:...` of a host key, as `-hostkey` takes it. */
function fingerprint(hostKey: string): string {
  const blob = Buffer.from(hostKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

function putty(program: 'plink' | 'psftp', place: Place, ...args: readonly string[]): Command {
  const key = place.keyFile === undefined ? [] : ['-i', keyOf(place)];
  return {
    file: programPath(program),
    args: [
      ...['-batch', '-noagent', '-P', String(place.port), '-l', place.user, ...key],
      ...['-hostkey', fingerprint(place.hostKey), ...args],
    ],
  };
}

const spec = (listen: number, target: number): string =>
  `127.0.0.1:${String(listen)}:127.0.0.1:${String(target)}`;

export const puttyTools: Client = {
  name: 'PuTTY',
  packages: ['putty-tools'],
  missing: () => missingPrograms('plink', 'psftp', 'puttygen', 'script'),
  version: () => firstLine(programPath('plink'), ['-V']),
  prepare: async (place) => {
    if (place.keyFile === undefined) return;
    await runWell(place, {
      file: programPath('puttygen'),
      args: [place.keyFile, '-O', 'private', '-o', keyOf(place)],
    });
  },
  exec: (place, command) => putty('plink', place, '-T', place.host, command),
  shell: (place, size) => onTerminal(putty('plink', place, '-t', place.host), size),
  local: (place, listen, target) =>
    putty('plink', place, '-N', '-L', spec(listen, target), place.host),
  remote: (place, listen, target) =>
    putty('plink', place, '-N', '-R', spec(listen, target), place.host),
  sftp: (place, job) => {
    const script = join(place.home, 'psftp.script');
    writeFileSync(script, sftpLines(job, 'ls'));
    return putty('psftp', place, '-b', script, place.host);
  },
};
