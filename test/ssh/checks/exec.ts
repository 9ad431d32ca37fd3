import assert from 'node:assert/strict';
import { runWell, run, describe } from '../run-command.js';
import type { Check } from '../types.js';

/** A command gets its input and its end, and both of its outputs arrive apart. */
export const exec: Check = {
  name: 'exec',
  title: 'exec',
  applies: (client) => client.exec !== undefined,
  run: async (client, { place }) => {
    assert.ok(client.exec);
    const command = client.exec(place, 'tr a-z A-Z; echo "to stderr" >&2');
    const result = await run(place, command, { input: 'through tr\n' });
    assert.equal(result.status, 0, describe(command, result));
    assert.equal(result.stdout.toString(), 'THROUGH TR\n');
    assert.match(result.stderr, /to stderr/);
    const echoed = await runWell(place, client.exec(place, `printf %s "it's \\$HOME"`));
    assert.equal(echoed, `it's $HOME`);
  },
};
