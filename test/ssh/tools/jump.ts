import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { opensshCommand } from '../clients/openssh.js';
import { describe, run, runStreamed } from '../run-command.js';
import { writeRandomFile } from '../files.js';
import type { Place, Tool } from '../types.js';

const BYTES = 4 * 1_048_576;

/** On to another SSH server through the agent. */
export const jump: Tool = {
  name: 'ssh -J',
  packages: ['openssh-client'],
  needs: ['ssh'],
  run: async ({ place, beyond, folder }) => {
    const config = join(folder, 'both');
    const target = readFileSync(beyond.sshConfig, 'utf8').replace(/^Host .*$/m, 'Host beyond');
    writeFileSync(config, `${readFileSync(place.sshConfig, 'utf8')}\n${target}`);
    const both: Place = { ...place, sshConfig: config };
    const command = opensshCommand(
      both,
      'ssh',
      '-J',
      place.alias,
      'beyond',
      'echo $SSH_CONNECTION; exit 9',
    );
    const result = await run(place, command);
    assert.equal(result.status, 9, describe(command, result));
    assert.match(result.stdout.toString(), new RegExp(` 127.0.0.1 ${String(beyond.port)}\n$`));
    const source = join(folder, 'source');
    const expected = writeRandomFile(source, BYTES);
    const through = opensshCommand(both, 'ssh', '-J', place.alias, 'beyond', 'cat');
    const echoed = await runStreamed(place, through, source);
    assert.equal(echoed.sha256, expected, echoed.stderr);
    return 'to an agent beyond, 4 MiB there and back';
  },
};
