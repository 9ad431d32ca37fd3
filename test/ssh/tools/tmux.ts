import { join } from 'node:path';
import { waitFor } from '../../support/index.js';
import { opensshCommand, remotely } from '../clients/openssh.js';
import { quote, start } from '../run-command.js';
import type { Tool } from '../types.js';

/** The control mode that terminals such as iTerm2 speak. */
export const tmux: Tool = {
  name: 'tmux -CC',
  packages: ['tmux'],
  needs: ['tmux'],
  run: async ({ place, folder }) => {
    const server = `tmux -S ${quote(join(folder, 's'))}`;
    const command = opensshCommand(
      place,
      'ssh',
      ...['-tt', place.alias, `${server} -f /dev/null -CC new -s proof`],
    );
    const running = start(place, { ...command, env: { TERM: 'xterm-256color' } });
    const text = (): string => running.stdout().toString('latin1');
    const waitForText = (wanted: RegExp): Promise<unknown> =>
      waitFor(() => wanted.test(text()), {
        what: `${String(wanted)}, after ${JSON.stringify(text().slice(-300))}`,
        timeoutMs: 60_000,
      });
    try {
      await waitForText(/\x1bP1000p%begin [\s\S]*%session-changed \$0 proof\r\n/);
      running.child.stdin?.write('send-keys -t proof "echo sum:$((6*7))" Enter\n');
      await waitForText(/%output %0 .*sum:42/);
      running.child.stdin?.write('new-window\n');
      await waitForText(/%window-add @1\r\n/);
      running.child.stdin?.write('kill-server\n');

      await waitForText(/%exit[^\n]*\r\n\x1b\\/);
      await running.ended;
    } finally {
      await running.stop();
      await remotely(place, `${server} kill-server 2>/dev/null; true`);
    }
    return 'control mode: output, commands, windows, exit';
  },
};
