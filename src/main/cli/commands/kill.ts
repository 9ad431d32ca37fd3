import type { Command } from 'commander';
import { HoldfastError, parseTerminalId } from '../../../shared/common/index.js';
import type { Cli } from '../cli.js';
import { interruptible } from '../interrupt.js';
import { LINK_SETTINGS, openLink, workspaceName } from '../workspace-link.js';

/** `holdfast kill WORKSPACE TERMINAL` */
export function build(cli: Cli): Command {
  const command = cli
    .command(
      'kill',
      'Ends a terminal: hangs up its programs, harder if they stay.',
      LINK_SETTINGS,
      {
        examples: [
          ['holdfast kill local main', 'end the terminal `main`'],
          ['holdfast terminals local', 'see which there are'],
        ],
      },
    )
    .argument('<workspace>', 'name of the workspace')
    .argument('<terminal>', 'name of the terminal');
  return command.action(async (workspace: string, terminal: string) => {
    const config = cli.config(command, LINK_SETTINGS);
    const id = terminalArgument(terminal);
    await interruptible(async ({ signal, use }) => {
      const link = use(await openLink(config, workspaceName(workspace), signal));
      await link.kill(id);
    });
  });
}

/** @throws {HoldfastError} ERR_INVALID_ARGUMENT if it cannot be the name of a terminal. */
export function terminalArgument(text: string): ReturnType<typeof parseTerminalId> {
  try {
    return parseTerminalId(text);
  } catch (error) {
    throw new HoldfastError(
      'ERR_INVALID_ARGUMENT',
      `${JSON.stringify(text.slice(0, 80))} is no name of a terminal`,
      {
        cause: error,
        hint: 'Use 1 to 64 letters, digits, dots, dashes or underscores, or a UUID.',
      },
    );
  }
}
