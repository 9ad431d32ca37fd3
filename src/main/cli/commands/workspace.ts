import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HoldfastError } from '../../../shared/common/index.js';
import {
  workspaceInputSchema,
  type WorkspaceInput,
  type WorkspacePatch,
} from '../../../shared/common/wire/index.js';
import type { Cli } from '../cli.js';
import { formatAge, formatTable } from '../output/index.js';
import { writeSecretFile } from '../../../shared/node/state/index.js';
import { CLIENT_SETTINGS, openBroker, requireLogin, workspaceName } from '../workspace-link.js';

interface FieldFlags {
  readonly directory?: string;
  readonly env?: readonly string[];
  readonly startupScript?: string;
  readonly gitKey?: string;
  readonly ownerEmail?: string;
  readonly ownerUsername?: string;
}

interface OutputFlags {
  readonly json?: true;
  readonly tokenOut?: string;
}

/** `holdfast workspace add|set|renew-token|list|remove` */
export function build(cli: Cli): Command {
  return cli.group('workspace', 'Manages the workspaces of a broker.', [
    add(cli),
    set(cli),
    renewToken(cli),
    list(cli),
    remove(cli),
  ]);
}

function add(cli: Cli): Command {
  const command = cli
    .command(
      'workspace add',
      'Adds a workspace and prints the token for its agent.',
      CLIENT_SETTINGS,
      {
        notes: [
          'The token is shown this once. Bring it to the machine of the workspace in a file of mode 0600,\nthen run `holdfast agent --broker URL --token-file FILE` there.',
        ],
        examples: [
          ['holdfast workspace add build', 'a workspace named build'],
          ['holdfast workspace add build --token-out agent.token', 'token into a file (0600)'],
          ['holdfast workspace add build --git-key ~/.ssh/deploy', 'with a Git key for `git push`'],
          ['holdfast workspace add build --env LANG=C.UTF-8', 'with a variable for every process'],
        ],
      },
    )
    .argument('<name>', 'lower-case letters, digits and inner hyphens');
  addFieldFlags(command);
  addOutputFlags(command);
  return command.action(async (name: string, flags: FieldFlags & OutputFlags) => {
    const config = cli.config(command, CLIENT_SETTINGS);
    const input: WorkspaceInput = { name, ...readFields(flags, cli.cwd) };
    check(input);
    const broker = openBroker(config);
    const { workspace, agentToken } = await broker.addWorkspace(input);
    await showAgentToken(cli, flags, workspace.name, agentToken, requireLogin(config).brokerUrl);
  });
}

function set(cli: Cli): Command {
  const command = cli
    .command('workspace set', 'Changes a workspace; what is not given stays.', CLIENT_SETTINGS, {
      examples: [
        ['holdfast workspace set local --git-key ~/.ssh/deploy', 'give it a Git key'],
        ['holdfast workspace set local --directory /src', 'where sessions start'],
      ],
    })
    .argument('<name>', 'name of the workspace');
  addFieldFlags(command);
  command.option('--no-git-key', 'remove the Git key');
  return command.action(
    async (name: string, flags: Omit<FieldFlags, 'gitKey'> & { gitKey?: string | boolean }) => {
      const { gitKey, ...others } = flags;
      const patch: WorkspacePatch = {
        ...readFields(typeof gitKey === 'string' ? { ...others, gitKey } : others, cli.cwd),
        ...(gitKey === false ? { gitKey: null } : {}),
      };
      const broker = openBroker(cli.config(command, CLIENT_SETTINGS));
      await broker.updateWorkspace(workspaceName(name), patch);
    },
  );
}

function renewToken(cli: Cli): Command {
  const command = cli
    .command(
      'workspace renew-token',
      'Gives a workspace a new agent token; the old one ends at once.',
      CLIENT_SETTINGS,
      {
        examples: [
          ['holdfast workspace renew-token build', 'the old token leaked'],
          ['holdfast workspace renew-token build --forget-key', 'the agent was reinstalled'],
        ],
      },
    )
    .argument('<name>', 'name of the workspace')
    .option('--forget-key', 'let the next agent bring a new identity key');
  addOutputFlags(command);
  return command.action(async (name: string, flags: OutputFlags & { forgetKey?: true }) => {
    const config = cli.config(command, CLIENT_SETTINGS);
    const broker = openBroker(config);
    const forgetKey = flags.forgetKey === true;
    const { workspace, agentToken } = await broker.renewAgentToken(workspaceName(name), {
      forgetKey,
    });
    await showAgentToken(cli, flags, workspace.name, agentToken, requireLogin(config).brokerUrl);
  });
}

function list(cli: Cli): Command {
  const command = cli
    .command('workspace list', 'Lists the workspaces you may see.', CLIENT_SETTINGS, {
      examples: [['holdfast workspace list', 'names, and whether their agents are connected']],
    })
    .option('--json', 'print JSON');
  return command.action(async ({ json }: { json?: true }) => {
    const broker = openBroker(cli.config(command, CLIENT_SETTINGS));
    const workspaces = await broker.listWorkspaces();
    if (json === true) {
      cli.printJson(workspaces);
      return;
    }
    if (workspaces.length === 0) {
      cli.print('No workspaces. Add one with `holdfast workspace add NAME`.\n');
      return;
    }
    const rows = workspaces.map((workspace) => [
      workspace.name,
      workspace.online ? 'online' : 'offline',
      workspace.online ? 'now' : seen(workspace.lastSeenAt),
      workspace.ownerUsername,
      workspace.directory,
    ]);
    cli.print(formatTable(['WORKSPACE', 'AGENT', 'SEEN', 'OWNER', 'DIRECTORY'], rows));
  });
}

function remove(cli: Cli): Command {
  const command = cli
    .command(
      'workspace remove',
      'Removes a workspace, its tokens and the link to its agent.',
      CLIENT_SETTINGS,
      { examples: [['holdfast workspace remove build', '']] },
    )
    .argument('<name>', 'name of the workspace');
  return command.action(async (name: string) => {
    const broker = openBroker(cli.config(command, CLIENT_SETTINGS));
    await broker.removeWorkspace(workspaceName(name));
  });
}

function addFieldFlags(command: Command): void {
  command
    .option('--directory <dir>', 'where sessions start in the workspace')
    .option('--env <name=value>', 'a variable for every process; may be repeated', collect)
    .option('--startup-script <file>', 'script that the agent runs once when it starts')
    .option('--git-key <file>', 'private key for Git, in OpenSSH form without a passphrase')
    .option('--owner-email <address>', 'for Git commits')
    .option('--owner-username <name>', 'for Git commits');
}

function addOutputFlags(command: Command): void {
  command
    .option('--token-out <file>', 'write the token to this file (0600) instead of printing it')
    .option('--json', 'print JSON');
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** The fields that were given, files read. */
function readFields(flags: FieldFlags, cwd: string): Omit<WorkspaceInput, 'name'> {
  const fields: Omit<WorkspaceInput, 'name'> = {};
  if (flags.directory !== undefined) fields.directory = flags.directory;
  if (flags.ownerEmail !== undefined) fields.owner_email = flags.ownerEmail;
  if (flags.ownerUsername !== undefined) fields.owner_username = flags.ownerUsername;
  if (flags.startupScript !== undefined) {
    fields.startup_script = readText(flags.startupScript, '--startup-script', cwd);
  }
  if (flags.gitKey !== undefined) fields.gitKey = readText(flags.gitKey, '--git-key', cwd);
  if (flags.env !== undefined) {
    fields.environment_variables = Object.fromEntries(
      flags.env.map((pair) => {
        const at = pair.indexOf('=');
        if (at < 1) {
          throw new HoldfastError('ERR_INVALID_ARGUMENT', '--env must read NAME=VALUE');
        }
        return [pair.slice(0, at), pair.slice(at + 1)];
      }),
    );
  }
  return fields;
}

function readText(file: string, flag: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, file), 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HoldfastError('ERR_INVALID_ARGUMENT', `${flag}: ${why}`, { cause: error });
  }
}

/** Checked here as well as at the broker, so that a mistake is named by what was typed. */
function check(input: WorkspaceInput): void {
  const result = workspaceInputSchema.safeParse(input);
  if (result.success) return;
  const issue = result.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new HoldfastError('ERR_INVALID_ARGUMENT', `${where}: ${issue?.message ?? 'malformed'}`);
}

async function showAgentToken(
  cli: Cli,
  { json, tokenOut }: OutputFlags,
  workspace: string,
  token: string,
  brokerUrl: string,
): Promise<void> {
  if (tokenOut !== undefined) await writeSecretFile(resolve(cli.cwd, tokenOut), `${token}\n`);
  if (json === true) {
    cli.printJson(
      tokenOut === undefined ? { workspace, agentToken: token } : { workspace, tokenOut },
    );
    return;
  }
  if (tokenOut === undefined) cli.print(`${token}\n`);
  process.stderr.write(
    `Workspace ${workspace}: its agent starts with\n  holdfast agent --broker ${brokerUrl} --token-file ${tokenOut ?? 'FILE'}\n`,
  );
}

function seen(at: string | undefined): string {
  return at === undefined ? 'never' : `${formatAge(Math.max(0, Date.now() - Date.parse(at)))} ago`;
}
