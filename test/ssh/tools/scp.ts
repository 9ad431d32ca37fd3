import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { opensshCommand } from '../clients/openssh.js';
import { runWell } from '../run-command.js';
import type { Tool } from '../types.js';
import { assertSameTree, makeTree } from './trees.js';

/** -r and -p by both protocols of scp, up, down, and from there to there through here. */
export const scp: Tool = {
  name: 'scp',
  packages: ['openssh-client'],
  needs: ['scp'],
  run: async ({ place, folder }) => {
    const source = join(folder, 'source');
    makeTree(source);
    for (const protocol of ['-O', '-s']) {
      const scratch = join(folder, `with${protocol}`);
      mkdirSync(scratch);
      const there = join(scratch, 'there');
      const copy = (...args: readonly string[]): Promise<string> =>
        runWell(place, opensshCommand(place, 'scp', '-q', '-rp', protocol, ...args));
      await copy(source, `${place.alias}:${there}`);
      await assertSameTree(there, source);
      await copy(`${place.alias}:${there}`, join(scratch, 'back'));
      await assertSameTree(join(scratch, 'back'), source);
      await copy('-3', `${place.alias}:${there}`, `${place.alias}:${join(scratch, 'third')}`);
      await assertSameTree(join(scratch, 'third'), source);
    }
    return '-O and -s, each -r -p up, down and -3: contents, modes, times';
  },
};
