import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { interruptible } from '../interrupt.js';
import { formatAge, formatBytes, formatTable } from '../output/index.js';
import { LINK_SETTINGS, openLink, workspaceName } from '../workspace-link.js';

/** `holdfast terminals WORKSPACE` */
export function build(cli: Cli): Command {
  const command = cli
    .command('terminals', 'Lists the terminals of a workspace.', LINK_SETTINGS, {
      examples: [
        ['holdfast terminals local', 'what is running, how many watch, how long idle'],
        ['holdfast terminals local --json', 'the same for a program'],
      ],
    })
    .argument('<workspace>', 'name of the workspace')
    .option('--json', 'print JSON');
  return command.action(async (workspace: string, { json }: { json?: true }) => {
    const config = cli.config(command, LINK_SETTINGS);
    await interruptible(async ({ signal, use }) => {
      const link = use(await openLink(config, workspaceName(workspace), signal));
      const terminals = await link.terminals();
      if (json === true) {
        cli.printJson(terminals);
        return;
      }
      if (terminals.length === 0) {
        cli.print(`No terminals. Start one with \`holdfast attach ${workspace}\`.\n`);
        return;
      }
      const rows = terminals.map((terminal) => [
        terminal.id,
        terminal.state,
        `${String(terminal.cols)}x${String(terminal.rows)}`,
        String(terminal.viewers),
        formatBytes(terminal.bytes),
        formatAge(terminal.idleMs),
        terminal.title,
      ]);
      cli.print(
        formatTable(['TERMINAL', 'STATE', 'SIZE', 'VIEWERS', 'OUTPUT', 'IDLE', 'TITLE'], rows),
      );
    });
  });
}
