import type { Command } from 'commander';
import { HoldfastError, limits } from '../../../shared/common/index.js';
import { formatShareLink, type ShareInfo } from '../../../shared/common/wire/index.js';
import type { Cli } from '../cli.js';
import { formatTable } from '../output/index.js';
import {
  CLIENT_SETTINGS,
  openBroker,
  requireKnownKey,
  requireLogin,
  workspaceName,
} from '../workspace-link.js';
import { secondsArgument, terminalArgument } from './arguments.js';

interface CreateFlags {
  readonly view?: true;
  readonly type?: true;
  readonly all?: true;
  readonly for?: string;
  /** False after --no-expiry. */
  readonly expiry: boolean;
  readonly max?: string;
  readonly name?: string;
  readonly json?: true;
}

const DEFAULT_TERMINAL = 'main';
const HOUR_MS = 3_600_000;
const DEFAULT_HOURS = String(limits.SHARE_MS / HOUR_MS);
const MAX_DAYS = String(limits.SHARE_MAX_MS / (24 * HOUR_MS));

/** `holdfast share WORKSPACE [TERMINAL]`, `holdfast share list|revoke` */
export function build(cli: Cli): Command {
  const command = create(cli);
  command.helpCommand(false).enablePositionalOptions();
  for (const other of [list(cli), revoke(cli)]) command.addCommand(other);
  return command;
}

function create(cli: Cli): Command {
  const command = cli
    .command(
      'share',
      'Makes a link that lets whoever has it into a terminal; `list` and `revoke` manage those.',
      CLIENT_SETTINGS,
      {
        notes: [
          'Open the link in a browser, or with `holdfast attach LINK`; no login is needed. Treat it as a\npassword: it is shown this once. It ends with the login that made it, at the latest.',
        ],
        examples: [
          ['holdfast share local', `watch the terminal \`${DEFAULT_TERMINAL}\``],
          ['holdfast share local build --type --for 1h', 'also type, for an hour'],
          ['holdfast share local --all --max 3', 'every terminal, three people at a time'],
          ['holdfast share list', 'which links there are'],
          ['holdfast share revoke ID', 'end one; whoever came through it is out at once'],
        ],
      },
    )
    .argument('<workspace>', 'name of the workspace')
    .argument('[terminal]', `name of the terminal (default: ${DEFAULT_TERMINAL})`)
    .option('--view', 'whoever has the link may watch (default)')
    .option('--type', 'whoever has the link may also type, which is to run anything')
    .option('--all', 'every terminal of the workspace, later ones too')
    .option(
      '--for <time>',
      `how long it is good: 30m, 8h, 7d (default: ${DEFAULT_HOURS}h; at most ${MAX_DAYS}d)`,
    )
    .option('--no-expiry', 'good until it is revoked')
    .option(
      '--max <number>',
      `how many may be there at a time, up to ${String(limits.SHARE_MAX_VIEWERS)} (default: ${String(limits.SHARE_VIEWERS)})`,
    )
    .option('--name <name>', 'for whom it is; shown to everybody at the terminal (default: guest)')
    .option('--json', 'print JSON');
  return command.action(
    async (workspace: string, terminal: string | undefined, flags: CreateFlags) => {
      const config = cli.config(command, CLIENT_SETTINGS);
      const { brokerUrl } = requireLogin(config);
      const input = {
        workspace: workspaceName(workspace),
        terminal: terminalOf(terminal, flags),
        mode: modeOf(flags),
        ...(flags.name === undefined ? {} : { name: flags.name }),
        ...(flags.max === undefined ? {} : { viewers: viewersOf(flags.max) }),
        ...lifeOf(flags),
      };
      const broker = openBroker(config);
      const { share, secret, agentKey, publicUrl } = await broker.createShare(input);
      try {
        await requireKnownKey(config, share.workspace, agentKey);
      } catch (error) {
        await broker.revokeShare(share.id);
        throw error;
      }
      const link = formatShareLink({
        origin: publicUrl ?? brokerUrl,
        workspace: share.workspace,
        terminal: share.terminal,
        secret,
        agentKey,
      });
      if (flags.json === true) cli.printJson({ share, link });
      else cli.print(`${link}\n\n${describe(share)}\n`);
    },
  );
}

function list(cli: Cli): Command {
  const command = cli
    .command(
      'share list',
      'Lists share links; the links themselves are not kept.',
      CLIENT_SETTINGS,
      {
        examples: [
          ['holdfast share list', ''],
          ['holdfast share list --workspace local', 'of one workspace'],
        ],
      },
    )
    .option('--workspace <name>', 'only those of this workspace')
    .option('--json', 'print JSON');
  return command.action(async ({ workspace, json }: { workspace?: string; json?: true }) => {
    const broker = openBroker(cli.config(command, CLIENT_SETTINGS));
    const shares = await broker.listShares(
      workspace === undefined ? {} : { workspace: workspaceName(workspace) },
    );
    if (json === true) {
      cli.printJson(shares);
      return;
    }
    const rows = shares.map((share) => [
      share.id,
      share.workspace,
      share.terminal === '*' ? 'all' : share.terminal,
      share.mode,
      share.name,
      String(share.viewers),
      share.state,
      share.expiresAt ?? 'never',
    ]);
    cli.print(
      formatTable(['ID', 'WORKSPACE', 'TERMINAL', 'MODE', 'NAME', 'MAX', 'STATE', 'EXPIRES'], rows),
    );
  });
}

function revoke(cli: Cli): Command {
  const command = cli
    .command(
      'share revoke',
      'Ends share links; whoever is connected through them is out at once.',
      CLIENT_SETTINGS,
      { examples: [['holdfast share revoke 4f2c...', 'the ID from `holdfast share list`']] },
    )
    .argument('<id...>', 'from `holdfast share list`');
  return command.action(async (ids: string[]) => {
    const broker = openBroker(cli.config(command, CLIENT_SETTINGS));
    for (const id of ids) await broker.revokeShare(id);
  });
}

function terminalOf(terminal: string | undefined, { all }: CreateFlags): string {
  if (all !== true) return terminalArgument(terminal ?? DEFAULT_TERMINAL);
  if (terminal === undefined) return '*';
  throw new HoldfastError('ERR_INVALID_ARGUMENT', 'a terminal and --all exclude each other');
}

function modeOf({ view, type }: CreateFlags): 'view' | 'type' {
  if (view === true && type === true) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', '--view and --type exclude each other', {
      hint: '--type includes watching.',
    });
  }
  return type === true ? 'type' : 'view';
}

function viewersOf(text: string): number {
  const viewers = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  if (viewers >= 1 && viewers <= limits.SHARE_MAX_VIEWERS) return viewers;
  throw new HoldfastError(
    'ERR_INVALID_ARGUMENT',
    `--max must be a whole number from 1 to ${String(limits.SHARE_MAX_VIEWERS)}`,
  );
}

function lifeOf({ for: life, expiry }: CreateFlags): { readonly expiresIn?: number | null } {
  if (life === undefined) return expiry ? {} : { expiresIn: null };
  if (!expiry) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', '--for and --no-expiry exclude each other');
  }
  const expiresIn = secondsArgument('--for', life);
  if (expiresIn >= 1 && expiresIn * 1_000 <= limits.SHARE_MAX_MS) return { expiresIn };
  throw new HoldfastError(
    'ERR_INVALID_ARGUMENT',
    `--for must be longer than 0 and at most ${MAX_DAYS}d`,
    { hint: 'A link that does not expire has to be asked for: --no-expiry.' },
  );
}

/** What the link allows, for whom, until when, and how to end it. */
function describe({ id, workspace, terminal, mode, name, viewers, expiresAt }: ShareInfo): string {
  const may = mode === 'type' ? 'watch and type' : 'watch';
  const where = terminal === '*' ? 'all terminals' : `the terminal ${terminal}`;
  const until = expiresAt === undefined ? 'it is revoked' : `${expiresAt} (${left(expiresAt)})`;
  return [
    `For ${name}: whoever has this link may ${may}: ${where} of ${workspace}, ${String(viewers)} at a time,`,
    `until ${until}.`,
    `End it with \`holdfast share revoke ${id}\`.`,
  ].join('\n');
}

/** How long it is until `time`, in the two largest units. */
function left(time: string): string {
  const minutes = Math.max(1, Math.round((Date.parse(time) - Date.now()) / 60_000));
  const parts = [
    [Math.floor(minutes / 1_440), 'd'],
    [Math.floor(minutes / 60) % 24, 'h'],
    [minutes % 60, 'min'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).slice(0, 2);
  return `in ${said.map(([count, unit]) => `${String(count)} ${unit}`).join(' ')}`;
}
