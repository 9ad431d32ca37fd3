import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../support/index.js';
import { opensshCommand } from '../clients/openssh.js';
import { makeKey } from '../places.js';
import { programPath, quote, runWell, start } from '../run-command.js';
import type { Tool } from '../types.js';

/** A key that stays here signs for a program over there. */
export const agentForwarding: Tool = {
  name: 'ssh -A',
  packages: ['openssh-client'],
  needs: ['ssh', 'ssh-agent', 'ssh-add'],
  run: async ({ place, folder }) => {
    const socket = join(folder, 'agent');
    const { keyFile } = makeKey(join(folder, 'keys'));
    const env = { SSH_AUTH_SOCK: socket };
    const agent = start(place, { file: programPath('ssh-agent'), args: ['-D', '-a', socket] });
    try {
      await waitFor(() => existsSync(socket));
      await runWell(place, { file: programPath('ssh-add'), args: ['-q', keyFile], env });
      // -T signs with the key and verifies the signature.
      const sign = `ssh-add -l && ssh-add -T ${quote(`${keyFile}.pub`)} && echo $SSH_AUTH_SOCK`;
      for (const flags of [['-A'], ['-A', '-tt']]) {
        const command = opensshCommand(place, 'ssh', ...flags, place.alias, sign);
        const printed = (await runWell(place, { ...command, env })).trim();
        assert.match(printed, /^256 SHA256:\S+ .*\(ED25519\)/);
        const forwarded = printed.split(/\s+/).pop() ?? '';
        assert.notEqual(forwarded, socket);
        await waitFor(() => !existsSync(forwarded), { what: 'the forwarded socket to go' });
      }
      const without = opensshCommand(place, 'ssh', '-a', place.alias, 'echo "[$SSH_AUTH_SOCK]"');
      assert.equal(await runWell(place, { ...without, env }), '[]\n');
    } finally {
      await agent.stop();
    }
    return 'a key is listed and signs, with a terminal and without';
  },
};
