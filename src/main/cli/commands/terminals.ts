import type { Command } from 'commander';
import { toErrorRecord } from '../../../shared/common/index.js';
import type { ExitStatus, Presence, TerminalInfo } from '../../../shared/common/wire/index.js';
import type { Cli } from '../cli.js';
import { interruptible } from '../interrupt.js';
import { formatAge, formatBytes, formatTable } from '../output/index.js';
import { LINK_SETTINGS, openLink, workspaceName, type WorkspaceLink } from '../workspace-link.js';

interface Flags {
  readonly json?: true;
  readonly viewers?: true;
}

/** `holdfast terminals WORKSPACE` */
export function build(cli: Cli): Command {
  const command = cli
    .command('terminals', 'Lists the terminals of a workspace.', LINK_SETTINGS, {
      examples: [
        ['holdfast terminals local', 'what is running, how many watch, how long idle'],
        ['holdfast terminals local --viewers', 'and who is attached to each'],
        ['holdfast terminals local --json', 'all of it, for a program'],
      ],
    })
    .argument('<workspace>', 'name of the workspace')
    .option('--viewers', 'list who is attached as well')
    .option('--json', 'print JSON');
  return command.action(async (workspace: string, { json, viewers }: Flags) => {
    const config = cli.config(command, LINK_SETTINGS);
    await interruptible(async ({ signal, use }) => {
      const link = use(await openLink(config, workspaceName(workspace), signal));
      const terminals = await link.terminals();
      const presences =
        json === true || viewers === true ? await allViewers(link, terminals) : undefined;
      if (json === true) {
        cli.printJson(
          terminals.map((terminal, index) => ({ ...terminal, presence: presences?.[index] })),
        );
        return;
      }
      if (terminals.length === 0) {
        cli.print(`No terminals. Start one with \`holdfast attach ${workspace}\`.\n`);
        return;
      }
      cli.print(formatTable(HEADING, terminals.map(row)));
      if (presences === undefined) return;
      for (const [index, terminal] of terminals.entries()) {
        const presence = presences[index];
        if (presence !== undefined) cli.print(`\n${formatViewers(terminal.id, presence)}`);
      }
    });
  });
}

/** Who is attached to each terminal; absent where nobody is, or where it has just ended. */
async function allViewers(
  link: WorkspaceLink,
  terminals: readonly TerminalInfo[],
): Promise<(Presence | undefined)[]> {
  const presences: (Presence | undefined)[] = [];
  // One after the other, since the agent takes only so many requests at once.
  for (const { id, viewers } of terminals) {
    presences.push(viewers === 0 ? undefined : await viewersOf(link, id));
  }
  return presences;
}

async function viewersOf(link: WorkspaceLink, id: string): Promise<Presence | undefined> {
  try {
    return await link.viewers(id);
  } catch (error) {
    const { code } = toErrorRecord(error);
    if (code === 'ERR_TERMINAL_NOT_FOUND' || code === 'ERR_WORKER_LOST') return undefined;
    throw error;
  }
}

function formatViewers(terminal: string, presence: Presence): string {
  const rows = presence.names.map((viewer) => [
    String(viewer.id),
    viewer.subject,
    viewer.id === presence.driver ? 'type, in control' : viewer.mode,
    `${String(viewer.cols ?? '?')}x${String(viewer.rows ?? '?')}${viewer.id === presence.sizeOwner ? ' *' : ''}`,
    viewer.latencyMs === undefined ? '' : `${String(viewer.latencyMs)} ms`,
    formatBytes(viewer.behind),
  ]);
  const unnamed = presence.viewers - presence.names.length;
  return (
    `${terminal}: size policy ${presence.sizePolicy} (*: whose size it is), pace ${presence.pace}\n` +
    formatTable(['VIEWER', 'NAME', 'MODE', 'WINDOW', 'LATENCY', 'BEHIND'], rows) +
    (unnamed > 0 ? `and ${String(unnamed)} more\n` : '')
  );
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
