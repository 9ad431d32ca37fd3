import { createHash } from 'node:crypto';
import type { Client, Command, Place } from '../types.js';
import { programPath, quote, run } from '../run-command.js';
import { firstLine, missingPrograms } from './installed.js';

const NO_COMMANDS = 'curl only copies files';

function curl(place: Place, scheme: string, path: string, ...args: readonly string[]): Command {
  const blob = Buffer.from(place.hostKey.split(' ')[1] ?? '', 'base64');
  const pin = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  const key = place.keyFile === undefined ? [] : ['--key', place.keyFile];
  return {
    file: programPath('curl'),
    args: [
      ...['-q', '-sS', '--hostpubsha256', pin, '-u', `${place.user}:`, ...key, ...args],
      `${scheme}://${place.host}:${String(place.port)}${encodeURI(path)}`,
    ],
  };
}

/** libssh2, which PHP, libgit2 and others have too. */
export const curlLibssh2: Client = {
  name: 'curl',
  packages: ['curl'],
  missing: async () => {
    const absent = await missingPrograms('curl');
    if (absent.length > 0) return absent;
    const about = await run({ home: '/' } as Place, {
      file: programPath('curl'),
      args: ['-q', '-V'],
    });
    return about.stdout.includes('sftp') ? [] : ['sftp in curl'];
  },
  version: async () => {
    const line = await firstLine('/bin/sh', [
      '-c',
      `${quote(programPath('curl'))} -q -V | grep -o 'libssh[^ ]*'`,
    ]);
    return `curl with ${line}`;
  },
  upload: (place, from, to) => curl(place, 'scp', to, '-T', from),
  download: (place, from, to) => curl(place, 'sftp', from, '-o', to),
  sftp: (place, { putFrom, putTo, getFrom, getTo, list }) => {
    const steps = [
      curl(place, 'sftp', putTo, '-T', putFrom),
      curl(place, 'sftp', getFrom, '-o', getTo),
      curl(place, 'sftp', `${list}/`, '--list-only'),
    ];
    const lines = steps.map(({ file, args }) => [file, ...args].map(quote).join(' '));
    return { file: '/bin/sh', args: ['-ec', lines.join('\n')] };
  },
  lacks: {
    exec: NO_COMMANDS,
    shell: NO_COMMANDS,
    status: NO_COMMANDS,
    local: 'curl forwards nothing',
    remote: 'curl forwards nothing',
  },
};
