import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../support/index.js';
import { opensshCommand } from '../clients/openssh.js';
import { assertEchoes, echoServer } from '../network.js';
import { start } from '../run-command.js';
import type { Tool } from '../types.js';

/** Sockets of the file system, forwarded both ways. */
export const unixSockets: Tool = {
  name: 'unix sockets',
  packages: ['openssh-client'],
  needs: ['ssh'],
  run: async ({ place, folder }) => {
    const target = join(folder, 'echo');
    const echo = await echoServer(target);
    try {
      for (const flag of ['-L', '-R']) {
        const listen = join(folder, flag);
        const command = opensshCommand(
          place,
          'ssh',
          ...['-N', '-o', 'ExitOnForwardFailure=yes', flag, `${listen}:${target}`, place.alias],
        );
        const running = start(place, command);
        try {
          await assertEchoes(listen);
        } finally {
          await running.stop();
        }
        // OpenSSH's client leaves the file of its own socket; the agent must not.
        if (flag === '-R') await waitFor(() => !existsSync(listen), { what: 'the socket to go' });
      }
    } finally {
      await echo.close();
    }
    return '-L and -R';
  },
};
