import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programPath, quote, runWell } from '../run-command.js';
import type { Command, Place, Tool } from '../types.js';

const FOLDERS = 100;
const FILES = 100;

/** The command that other tools run in place of ssh. */
export function sshCommandLine(place: Place): string {
  return `${programPath('ssh')} -F ${quote(place.sshConfig)} -o LogLevel=ERROR -o BatchMode=yes`;
}

/** Ten thousand files, twice: the second time there is nothing to do. */
export const rsync: Tool = {
  name: 'rsync',
  packages: ['rsync'],
  needs: ['rsync'],
  run: async ({ place, folder }) => {
    const source = join(folder, 'source');
    for (let outer = 0; outer < FOLDERS; outer += 1) {
      const sub = join(source, `d${String(outer)}`);
      mkdirSync(sub, { recursive: true });
      for (let inner = 0; inner < FILES; inner += 1) {
        const text = `${String(outer)}.${String(inner)}\n`.repeat((inner * 7) % 40);
        writeFileSync(join(sub, `f${String(inner)}`), text);
      }
    }
    const command = (...args: readonly string[]): Command => ({
      file: programPath('rsync'),
      args: ['-a', ...args],
    });
    const overSsh = ['--stats', '-e', sshCommandLine(place)];
    const there = join(folder, 'there');
    const remote = `${place.alias}:${there}/`;
    const first = await runWell(place, command(...overSsh, `${source}/`, remote));
    assert.match(first, /regular files transferred: 10,000\n/);
    const again = await runWell(place, command(...overSsh, `${source}/`, remote));
    assert.match(again, /regular files transferred: 0\n/);
    const differing = await runWell(place, command('-cni', '--delete', `${source}/`, `${there}/`));
    assert.equal(differing, '');
    const back = join(folder, 'back');
    await runWell(place, command(...overSsh, remote, `${back}/`));
    assert.equal(await runWell(place, command('-cni', '--delete', `${source}/`, `${back}/`)), '');
    return '10,000 files up, again (nothing moves), and down';
  },
};
