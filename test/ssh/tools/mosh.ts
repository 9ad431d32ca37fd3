import assert from 'node:assert/strict';
import { opensshCommand } from '../clients/openssh.js';
import { onTerminal, programPath, run } from '../run-command.js';
import type { Tool } from '../types.js';
import { sshCommandLine } from './rsync.js';

/** Its server outlives the session that starts it, and its client then finds it by UDP on loopback. */
export const mosh: Tool = {
  name: 'mosh',
  packages: ['mosh'],
  needs: ['mosh', 'mosh-server', 'mosh-client', 'script'],
  run: async ({ place }) => {
    const bootstrap = opensshCommand(
      place,
      'ssh',
      ...['-tt', place.alias, 'LC_ALL=C.UTF-8 mosh-server new -i 127.0.0.1 -- true'],
    );
    const started = await run(place, bootstrap);
    const text = started.stdout.toString();
    assert.equal(started.status, 0, text);
    assert.match(text, /\r\nMOSH CONNECT \d+ [A-Za-z0-9/+]{22}\r\n/);
    const [, server = ''] = /pid = (\d+)\]/.exec(`${text}${started.stderr}`) ?? [];
    if (server !== '') process.kill(Number(server), 'SIGTERM');
    const whole = onTerminal(
      {
        file: programPath('mosh'),
        args: [
          ...[`--ssh=${sshCommandLine(place)}`, '--experimental-remote-ip=remote', place.alias],
          ...['--', 'sh', '-c', 'echo "over:$((6*7))"; sleep 1'],
        ],
        env: { TERM: 'xterm' },
      },
      { rows: 24, cols: 80 },
    );
    const result = await run(place, whole, { timeoutMs: 60_000 });
    const screen = result.stdout.toString();
    assert.match(screen, /over:42/, screen.slice(-400));
    assert.match(screen, /\[mosh is exiting\.\]/);
    return 'MOSH CONNECT, and a whole session by UDP on loopback';
  },
};
