import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { interruptible } from '../interrupt.js';
import { LINK_SETTINGS, openLink, workspaceName } from '../workspace-link.js';
import { signalArgument, terminalArgument } from './arguments.js';

interface Flags {
  readonly signal?: string;
}

/** `holdfast kill WORKSPACE TERMINAL` */
export function build(cli: Cli): Command {
  const command = cli
    .command(
      'kill',
      'Ends a terminal: hangs up its programs, harder if they stay.',
      LINK_SETTINGS,
      {
        notes: [
          'The programs get a hang-up, then TERM, then KILL. A terminal that has exited is forgotten.',
        ],
        examples: [
          ['holdfast kill local main', 'end the terminal `main`'],
          ['holdfast kill local main --signal INT', 'only send a signal to all programs in it'],
          ['holdfast terminals local', 'see which there are'],
        ],
      },
    )
    .argument('<workspace>', 'name of the workspace')
    .argument('<terminal>', 'name of the terminal')
    .option('-s, --signal <name>', 'only send this signal', signalArgument);
  return command.action(async (workspace: string, terminal: string, { signal }: Flags) => {
    const config = cli.config(command, LINK_SETTINGS);
    const id = terminalArgument(terminal);
    await interruptible(async ({ signal: abort, use }) => {
      const link = use(await openLink(config, workspaceName(workspace), abort));
      await link.kill(id, signal);
    });
  });
}
