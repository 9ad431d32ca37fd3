import type { Command } from 'commander';
import type { ExitStatus, TerminalInfo } from '../../../shared/common/wire/index.js';
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
      cli.print(formatTable(HEADING, terminals.map(row)));
    });
  });
}

const HEADING = [
  'TERMINAL',
  'STATE',
  'SIZE',
  'VIEWERS',
  'OUTPUT',
  'IDLE',
  'COMMAND',
  'DIRECTORY',
  'TITLE',
];
/** Of the columns whose text programs choose: more is in `--json`. */
const COMMAND_CELLS = 40;
const DIRECTORY_CELLS = 32;
const TITLE_CELLS = 40;

function row(terminal: TerminalInfo): string[] {
  return [
    terminal.id,
    terminal.exit === undefined ? terminal.state : `exited ${describeExit(terminal.exit)}`,
    `${String(terminal.cols)}x${String(terminal.rows)}`,
    String(terminal.viewers),
    formatBytes(terminal.bytes),
    formatAge(terminal.idleMs),
    cut(terminal.command ?? '', COMMAND_CELLS),
    cutStart(terminal.cwd ?? '', DIRECTORY_CELLS),
    cut(terminal.title, TITLE_CELLS),
  ];
}

function describeExit(exit: ExitStatus): string {
  switch (exit.kind) {
    case 'status':
      return String(exit.status);
    case 'signal':
      return exit.signal;
    case 'unknown':
      return '?';
    default:
      return exit satisfies never;
  }
}

function cut(text: string, cells: number): string {
  return text.length <= cells ? text : `${text.slice(0, cells - 1)}…`;
}

/** Of a path the end says most. */
function cutStart(text: string, cells: number): string {
  return text.length <= cells ? text : `…${text.slice(1 - cells)}`;
}
