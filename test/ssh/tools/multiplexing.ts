import assert from 'node:assert/strict';
import { join } from 'node:path';
import { waitFor } from '../../support/index.js';
import { freePort } from '../../support/ssh-harness.js';
import { opensshCommand } from '../clients/openssh.js';
import { assertEchoes, echoServer, isListening } from '../network.js';
import { run, runWell, start } from '../run-command.js';
import type { Tool } from '../types.js';

const SESSIONS = 10;

/** One connection for many sessions, and forwards that come and go while it stands. */
export const multiplexing: Tool = {
  name: 'ssh -M',
  packages: ['openssh-client'],
  needs: ['ssh'],
  run: async ({ place, folder }) => {
    const shared = ['-S', join(folder, 'c')];
    const ask = (...args: readonly string[]): Promise<string> =>
      runWell(place, opensshCommand(place, 'ssh', ...shared, '-O', ...args, place.alias));
    const echo = await echoServer();
    const master = start(place, opensshCommand(place, 'ssh', '-MN', ...shared, place.alias));
    try {
      await waitFor(
        () =>
          ask('check').then(
            () => true,
            () => false,
          ),
        { timeoutMs: 60_000 },
      );
      const sessions = Array.from({ length: SESSIONS }, async (_, index) => {
        const command = `echo ${String(index)}; sleep 0.2; exit ${String(100 + index)}`;
        const args = index % 2 === 0 ? ['-T'] : ['-tt'];
        const result = await run(
          place,
          opensshCommand(place, 'ssh', ...shared, ...args, place.alias, command),
        );
        assert.deepEqual(
          [result.status, result.stdout.toString().trim()],
          [100 + index, String(index)],
        );
      });
      await Promise.all(sessions);
      for (const flag of ['-L', '-R']) {
        const port = await freePort();
        const spec = `127.0.0.1:${String(port)}:127.0.0.1:${String(echo.port)}`;
        await ask('forward', flag, spec);
        await assertEchoes(port);
        await ask('cancel', flag, spec);
        await waitFor(async () => !(await isListening(port)), { what: `${flag} to be cancelled` });
      }
      const chosen = await ask('forward', '-R', `0:127.0.0.1:${String(echo.port)}`);
      await assertEchoes(Number(chosen.trim()));
      await ask('exit');
      await master.ended;
      await waitFor(async () => !(await isListening(Number(chosen.trim()))));
    } finally {
      await master.stop();
      await echo.close();
    }
    return `${String(SESSIONS)} sessions at once, -O forward and cancel of -L and -R, port 0`;
  },
};
