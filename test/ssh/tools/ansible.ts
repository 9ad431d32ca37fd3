import assert from 'node:assert/strict';
import { join } from 'node:path';
import { opensshCommand } from '../clients/openssh.js';
import { fileSha256, writeRandomFile } from '../files.js';
import { programPath, quote, run, runWell } from '../run-command.js';
import type { Tool } from '../types.js';

/** ping and copy, with and without pipelining, over its own shared connection. */
export const ansible: Tool = {
  name: 'ansible',
  packages: ['ansible-core'],
  needs: ['ansible'],
  run: async ({ place, folder }) => {
    const source = join(folder, 'source');
    const expected = writeRandomFile(source, 1_000_003);
    const control = join(folder, 'c');
    for (const pipelining of ['True', 'False']) {
      const env = {
        LC_ALL: 'C.UTF-8',
        ANSIBLE_HOME: join(folder, 'home'),
        ANSIBLE_LOCAL_TEMP: join(folder, 'local'),
        ANSIBLE_REMOTE_TMP: join(folder, 'remote'),
        ANSIBLE_PIPELINING: pipelining,
        ANSIBLE_SSH_ARGS: [
          ...['-F', quote(place.sshConfig), '-o ControlMaster=auto -o ControlPersist=60s'],
          ...['-o', `ControlPath=${quote(control)}`],
        ].join(' '),
        ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
        ANSIBLE_NOCOLOR: '1',
      };
      const module = (...args: readonly string[]): Promise<string> =>
        runWell(place, {
          file: programPath('ansible'),
          args: ['-i', `${place.alias},`, 'all', ...args],
          env,
        });
      assert.match(await module('-m', 'ping'), /"ping": "pong"/);
      const copied = join(folder, `copied-${pipelining}`);
      const copy = ['-m', 'copy', '-a', `src=${source} dest=${copied} mode=0640`];
      assert.match(await module(...copy), /CHANGED/);
      assert.equal(await fileSha256(copied), expected);
      assert.match(await module(...copy), /SUCCESS/);
      await run(place, opensshCommand(place, 'ssh', '-S', control, '-O', 'exit', place.alias));
    }
    return 'ping and copy, with pipelining and without';
  },
};
