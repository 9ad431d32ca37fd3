import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HoldfastError } from '../../../shared/common/index.js';
import { tokenInputSchema, type TokenInput } from '../../../shared/common/wire/index.js';
import { writeSecretFile } from '../../../shared/node/state/index.js';
import type { Cli } from '../cli.js';
import { formatTable } from '../output/index.js';
import { CLIENT_SETTINGS, openBroker } from '../workspace-link.js';
import { secondsArgument } from './arguments.js';

interface CreateFlags {
  readonly workspace?: readonly string[];
  readonly allWorkspaces?: true;
  readonly scope?: readonly string[];
  readonly admin?: true;
  readonly expires?: string;
  readonly tokenOut?: string;
  readonly json?: true;
}

/** `holdfast token create|list|revoke` */
export function build(cli: Cli): Command {
  return cli.group('token', 'Manages who may come in.', [create(cli), list(cli), revoke(cli)]);
}

function create(cli: Cli): Command {
  const command = cli
    .command('token create', 'Creates a token and prints it, this once.', CLIENT_SETTINGS, {
      notes: [
        'Scopes: owner (everything), ssh, sftp, forward, terminal:NAME:view, terminal:NAME:type; `*` as\nNAME is every terminal.',
      ],
      examples: [
        ['holdfast token create ada --workspace build', 'everything in one workspace'],
        ['holdfast token create guest --workspace build --scope terminal:main:view', 'watch only'],
        ['holdfast token create ci --all-workspaces --scope ssh --expires 30d', 'for a month'],
        ['holdfast token create root --admin --all-workspaces --token-out admin.token', ''],
      ],
    })
    .argument('<name>', 'who will hold it')
    .option('--workspace <name>', 'workspace it opens; may be repeated', collect)
    .option('--all-workspaces', 'open every workspace, later ones too')
    .option('--scope <scope>', 'what it allows; may be repeated (default: owner)', collect)
    .option('--admin', 'may also manage workspaces and tokens')
    .option('--expires <time>', 'such as 12h or 30d (default: until revoked)')
    .option('--token-out <file>', 'write the token to this file (0600) instead of printing it')
    .option('--json', 'print JSON');
  return command.action(async (name: string, flags: CreateFlags) => {
    const input = readInput(name, flags);
    const broker = openBroker(cli.config(command, CLIENT_SETTINGS));
    const { token, secret } = await broker.createToken(input);
    if (flags.tokenOut !== undefined) {
      await writeSecretFile(resolve(cli.cwd, flags.tokenOut), `${secret}\n`);
    }
    if (flags.json === true)
      cli.printJson(flags.tokenOut === undefined ? { token, secret } : { token });
    else if (flags.tokenOut === undefined) cli.print(`${secret}\n`);
  });
}

function list(cli: Cli): Command {
  const command = cli
    .command('token list', 'Lists tokens; the secrets themselves are not kept.', CLIENT_SETTINGS, {
      examples: [['holdfast token list', '']],
    })
    .option('--json', 'print JSON');
  return command.action(async ({ json }: { json?: true }) => {
    const broker = openBroker(cli.config(command, CLIENT_SETTINGS));
    const tokens = await broker.listTokens();
    if (json === true) {
      cli.printJson(tokens);
      return;
    }
    const rows = tokens.map((token) => [
      token.id,
      token.name,
      token.role,
      token.workspaces === 'all' ? 'all' : token.workspaces.join(','),
      token.scopes.join(','),
      token.expiresAt ?? 'never',
    ]);
    cli.print(formatTable(['ID', 'NAME', 'ROLE', 'WORKSPACES', 'SCOPES', 'EXPIRES'], rows));
  });
}

function revoke(cli: Cli): Command {
  const command = cli
    .command('token revoke', 'Ends a token at once.', CLIENT_SETTINGS, {
      examples: [['holdfast token revoke 4f2c...', 'the ID from `holdfast token list`']],
    })
    .argument('<id>', 'from `holdfast token list`');
  return command.action(async (id: string) => {
    const broker = openBroker(cli.config(command, CLIENT_SETTINGS));
    await broker.revokeToken(id);
  });
}

function readInput(name: string, flags: CreateFlags): TokenInput {
  if (flags.allWorkspaces === true && flags.workspace !== undefined) {
    throw new HoldfastError(
      'ERR_INVALID_ARGUMENT',
      '--workspace and --all-workspaces exclude each other',
    );
  }
  if (flags.allWorkspaces !== true && flags.workspace === undefined) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', 'no workspace given', {
      hint: 'Say --workspace NAME, or --all-workspaces.',
    });
  }
  const input = {
    name,
    role: flags.admin === true ? 'admin' : 'user',
    workspaces: flags.workspace ?? 'all',
    ...(flags.scope === undefined ? {} : { scopes: flags.scope }),
    ...(flags.expires === undefined
      ? {}
      : { expiresIn: secondsArgument('--expires', flags.expires) }),
  };
  const result = tokenInputSchema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new HoldfastError('ERR_INVALID_ARGUMENT', `${where}: ${issue?.message ?? 'malformed'}`);
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}
