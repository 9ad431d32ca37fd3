import type { Command } from 'commander';
import { HoldfastError } from '../../../shared/common/index.js';
import type { ExitStatus } from '../../../shared/common/wire/index.js';
import { attachTerminal } from '../attach/index.js';
import type { Cli } from '../cli.js';
import { withExitStatus } from '../failure.js';
import { interruptible } from '../interrupt.js';
import { LinkKeeper } from '../link-keeper.js';
import { signalNumber } from '../signals.js';
import { LINK_SETTINGS, openLink, openLocalLink, workspaceName } from '../workspace-link.js';
import { terminalArgument } from './kill.js';

const SETTINGS = [...LINK_SETTINGS, 'stateDir', 'socket'] as const;
const OWN_FAILURE = 255;
const DEFAULT_TERMINAL = 'main';

interface Flags {
  readonly local?: true;
  readonly readOnly?: true;
}

/** `holdfast attach WORKSPACE [TERMINAL]` */
export function build(cli: Cli): Command {
  const command = cli
    .command(
      'attach',
      'Joins a terminal of a workspace; starts it if there is none of this name.',
      SETTINGS,
      {
        notes: [
          'The terminal lives on when you leave or the connection breaks, and others may join it. Leave with\nCtrl-\\ typed twice, or with ~. at the start of a line. A lost connection is taken up again by itself.',
        ],
        examples: [
          ['holdfast attach local', `the terminal \`${DEFAULT_TERMINAL}\``],
          ['holdfast attach local build', 'another one'],
          ['holdfast attach local build --read-only', 'watch without typing'],
          ['holdfast attach local --local', 'on the same machine, without the broker'],
        ],
        exits: 'that of the program in the terminal; 0 after leaving; 255 for a failure of our own',
      },
    )
    .argument('<workspace>', 'name of the workspace')
    .argument('[terminal]', 'name of the terminal', DEFAULT_TERMINAL)
    .option('--local', "go over the agent's unix socket; the workspace name is then not looked up")
    .option('-r, --read-only', 'watch without typing');
  return command.action(async (workspace: string, terminal: string, flags: Flags) => {
    try {
      const config = cli.config(command, SETTINGS);
      const id = terminalArgument(terminal);
      const name = workspaceName(workspace);
      const outcome = await interruptible(async ({ signal, use }) => {
        const links = use(
          new LinkKeeper(() =>
            flags.local === true
              ? openLocalLink(config, { signal })
              : openLink(config, name, signal),
          ),
        );
        // The first connection fails at once and says why; later ones are tried again.
        await links.get();
        return await attachTerminal({
          id,
          readOnly: flags.readOnly === true,
          openChannel: async (label) =>
            (await links.get()).openChannel({ label, protocol: 'terminal' }),
        });
      });
      if (outcome.type === 'exited') {
        cli.exitStatus = exitStatus(outcome.exit);
        return;
      }
      process.stderr.write(
        `\r\n[detached; come back with \`holdfast attach ${name} ${id}${flags.local === true ? ' --local' : ''}\`]\n`,
      );
    } catch (error) {
      throw withExitStatus(error, OWN_FAILURE);
    }
  });
}

/** @throws {HoldfastError} ERR_TERMINAL_NOT_FOUND if the terminal was ended from outside. */
function exitStatus(exit: ExitStatus): number {
  switch (exit.kind) {
    case 'status':
      return exit.status;
    case 'signal':
      return 128 + signalNumber(exit.signal);
    case 'unknown':
      throw new HoldfastError('ERR_TERMINAL_NOT_FOUND', 'the terminal was ended from outside');
    default:
      return exit satisfies never;
  }
}
