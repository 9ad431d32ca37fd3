import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HoldfastError, shownText } from '../../../shared/common/index.js';
import type { ExitStatus } from '../../../shared/common/wire/index.js';
import type { Cli } from '../cli.js';
import { withExitStatus } from '../failure.js';
import { interruptible } from '../interrupt.js';
import { signalNumber } from '../signals.js';
import { LINK_SETTINGS, openLink, workspaceName } from '../workspace-link.js';

/** Own failures of ssh, as opposed to those of the remote command. */
const OWN_FAILURE = 255;

interface Flags {
  readonly tty?: true;
  readonly T?: true;
  readonly stdin: boolean;
  readonly forwardAgent?: true;
  readonly identity?: readonly string[];
}

/** `holdfast ssh WORKSPACE [-- COMMAND]` */
export function build(cli: Cli): Command {
  const command = cli
    .command('ssh', 'Opens a shell in a workspace, or runs a command there.', LINK_SETTINGS, {
      notes: [
        'Behaves as ssh does: after the workspace and further options comes the command; without one you get\na shell on a terminal. Type ~. at the start of a line to leave a connection that hangs.',
      ],
      examples: [
        ['holdfast ssh local', 'a shell'],
        ['holdfast ssh build@local', 'the terminal `build`, which lives on and others may share'],
        ['holdfast ssh local -- make test', 'a command; its exit status becomes ours'],
        ['holdfast ssh -t local -- htop', 'a command that wants a terminal'],
        ['tar c src | holdfast ssh local -- tar x', 'standard input goes along'],
      ],
      exits:
        'that of the remote command; 128 + N if signal N ended it; 255 for a failure of our own',
    })
    .argument('<workspace>', 'NAME or NAME.holdfast; TERMINAL@NAME joins that terminal')
    .argument('[command...]', 'command and its arguments, joined with blanks as ssh does')
    .option('-t, --tty', 'give the command a terminal even where ours is none')
    .option('-T', 'give no terminal, not even to a shell')
    .option('-n, --no-stdin', 'do not read standard input')
    .option('-A, --forward-agent', 'lend the keys of your ssh-agent to the remote side')
    .option('-i, --identity <file>', 'key to offer where the agent wants one', collect)
    .passThroughOptions();
  return command.action(async (workspace: string, words: readonly string[]) => {
    try {
      const remote = takeOptions(command, words);
      const flags = command.opts<Flags>();
      const config = cli.config(command, LINK_SETTINGS);
      const at = workspace.lastIndexOf('@');
      const username = at === -1 ? 'holdfast' : workspace.slice(0, at);
      const status = await interruptible(async ({ signal, use }) => {
        // Loaded while the connection is being made.
        const [link, { connectSsh }, { runSession }] = await Promise.all([
          openLink(config, workspaceName(workspace.slice(at + 1)), signal).then(use),
          import('../../client/ssh-client/index.js').then((module) => {
            module.prepareSsh();
            return module;
          }),
          import('../ssh/index.js'),
        ]);
        const agentSocket = cli.env['SSH_AUTH_SOCK'];
        const connection = use(
          await connectSsh(link.openChannel({ label: 'ssh', protocol: 'ssh' }), {
            hostKey: link.sshHostKey ?? '',
            username,
            identityFiles: (flags.identity ?? []).map((file) => resolve(cli.cwd, file)),
            agentSocket: agentSocket === '' ? undefined : agentSocket,
            forwardAgent: flags.forwardAgent === true,
            onBanner: showBanner,
            signal,
          }),
        );
        return await runSession(connection, {
          command: remote.length === 0 ? undefined : remote.join(' '),
          terminal: flags.T === true ? 'never' : flags.tty === true ? 'always' : 'auto',
          readStdin: flags.stdin,
          forwardAgent: flags.forwardAgent === true,
          env: cli.env,
        });
      });
      cli.exitStatus = exitStatus(status);
    } catch (error) {
      throw withExitStatus(error, OWN_FAILURE);
    }
  });
}

/** As OpenSSH: on standard error, and without what could act on the terminal. */
function showBanner(text: string): void {
  const lines = text.split(/\r?\n/).map((line) => shownText(line.replaceAll('\t', ' ')));
  process.stderr.write(lines.join('\n'));
}

/**
 * Takes options that follow the workspace, as ssh does, up to `--` or the first word that is none.
 * @returns the words of the remote command.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT for an unknown one.
 */
function takeOptions(command: Command, words: readonly string[]): string[] {
  const { operands, unknown } = command.parseOptions([...words]);
  const [option] = unknown;
  if (option !== undefined) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', `unknown option ${JSON.stringify(option)}`, {
      hint: 'write -- before a command that begins with a dash',
    });
  }
  return operands;
}

/** @throws {HoldfastError} ERR_PEER_LOST if nobody knows how it ended. */
function exitStatus(status: ExitStatus): number {
  switch (status.kind) {
    case 'status':
      return status.status;
    case 'signal':
      process.stderr.write(`holdfast: the remote command was ended by SIG${status.signal}\n`);
      return 128 + signalNumber(status.signal);
    case 'unknown':
      throw new HoldfastError('ERR_PEER_LOST', 'the connection ended before the command did');
    default:
      return status satisfies never;
  }
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}
