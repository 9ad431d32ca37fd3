import { Option, type Command } from 'commander';
import {
  HoldfastError,
  parseEpoch,
  type Epoch,
  type TerminalId,
} from '../../../shared/common/index.js';
import {
  PACES,
  SIZE_POLICIES,
  type ExitStatus,
  type Pace,
  type SizePolicy,
} from '../../../shared/common/wire/index.js';
import { attachTerminal } from '../attach/index.js';
import type { Cli } from '../cli.js';
import { withExitStatus } from '../failure.js';
import { interruptible } from '../interrupt.js';
import { LinkKeeper } from '../link-keeper.js';
import { sizeOf } from '../raw-terminal.js';
import { linkArgument, sharedLinkOpener, sharedTerminal } from '../share-link.js';
import { signalNumber } from '../signals.js';
import {
  LINK_SETTINGS,
  openLink,
  openLocalLink,
  workspaceName,
  type WorkspaceLink,
} from '../workspace-link.js';
import { terminalArgument, timeArgument } from './arguments.js';

const SETTINGS = [...LINK_SETTINGS, 'stateDir', 'socket'] as const;
const OWN_FAILURE = 255;
const DEFAULT_TERMINAL = 'main';

interface Flags {
  readonly local?: true;
  readonly readOnly?: true;
  readonly directory?: string;
  readonly idle?: number;
  readonly size?: SizePolicy;
  readonly pace?: Pace;
}

/** `holdfast attach WORKSPACE [TERMINAL] [-- COMMAND]` */
export function build(cli: Cli): Command {
  const command = cli
    .command(
      'attach',
      'Joins a terminal of a workspace; starts it if there is none of this name.',
      SETTINGS,
      {
        notes: [
          'After two dashes stands what the terminal runs instead of a shell; if one of this name runs already,\nyou join that. A terminal that has exited is started anew; with --read-only you see how it ended.',
          'The terminal lives on when you leave or the connection breaks, and others may join it. Leave with\nCtrl-\\ typed twice, or with ~. at the start of a line. A lost connection is taken up again by itself.',
          'Also at the start of a line: ~c asks for the control, so that only you type, takes it where nobody has it,\ngives it to who asked, or ends it; ~w shows who is here; ~? lists these keys.',
        ],
        examples: [
          ['holdfast attach local', `the terminal \`${DEFAULT_TERMINAL}\``],
          ['holdfast attach local build', 'another one'],
          ['holdfast attach local build --read-only', 'watch without typing'],
          ['holdfast attach local top -- htop -d 5', 'a program instead of a shell'],
          ['holdfast attach local ci --idle 0', 'one that may stay alone for ever'],
          [
            'holdfast attach local --size mine',
            'in the size of this window, whoever else is there',
          ],
          ['holdfast attach local --local', 'on the same machine, without the broker'],
          ["holdfast attach 'https://...'", 'by a share link, without a login'],
        ],
        exits: 'that of the program in the terminal; 0 after leaving; 255 for a failure of our own',
      },
    )
    .argument('<workspace>', 'name of the workspace, or a share link')
    .argument('[terminal]', `name of the terminal (default: ${DEFAULT_TERMINAL})`)
    .argument('[command...]', 'after --: program and arguments, run as they are')
    .option('--directory <dir>', 'where a new terminal starts')
    .option('--idle <time>', 'life with nobody attached, 0 is for ever', (text) =>
      timeArgument('--idle', text),
    )
    .option('--local', "go over the agent's unix socket; the workspace name is then not looked up")
    .addOption(
      new Option(
        '--size <policy>',
        'whose size the terminal has: that of who asked last, what fits all, as it is, yours',
      ).choices(SIZE_POLICIES),
    )
    .addOption(
      new Option('--pace <pace>', 'whom the program waits for: the quickest, all, nobody').choices(
        PACES,
      ),
    )
    .option('-r, --read-only', 'watch without typing');
  return command.action(
    async (workspace: string, terminal: string | undefined, _: unknown, flags: Flags) => {
      try {
        const shared = linkArgument(workspace);
        const config = cli.config(command, SETTINGS);
        const words = wordsAfterDashes(command.args, cli.words);
        const named = terminal === undefined ? undefined : terminalArgument(terminal);
        const id =
          (shared === undefined ? named : sharedTerminal(shared, named)) ??
          terminalArgument(DEFAULT_TERMINAL);
        const name = shared?.workspace ?? workspaceName(workspace);
        const open = shared && sharedLinkOpener(config, shared);
        if (open !== undefined && flags.local === true) {
          throw new HoldfastError(
            'ERR_INVALID_ARGUMENT',
            'a share link and --local exclude each other',
          );
        }
        const outcome = await interruptible(async ({ signal, use }) => {
          const links = use(
            new LinkKeeper(() =>
              flags.local === true
                ? openLocalLink(config, { signal })
                : (open?.(signal) ?? openLink(config, name, signal)),
            ),
          );
          // The first connection fails at once and says why; later ones are tried again.
          const link = await links.get();
          const epoch = await prepare(link, id, words, flags);
          return await attachTerminal({
            id,
            epoch,
            readOnly: flags.readOnly === true,
            settings: { sizePolicy: flags.size, pace: flags.pace },
            openChannel: async (label) =>
              (await links.get()).openChannel({ label, protocol: 'terminal' }),
          });
        });
        if (outcome.type === 'exited') {
          cli.exitStatus = exitStatus(outcome.exit);
          return;
        }
        const again =
          shared === undefined
            ? `\`holdfast attach ${name} ${id}${flags.local === true ? ' --local' : ''}\``
            : 'the same link';
        process.stderr.write(`\r\n[detached; come back with ${again}]\n`);
      } catch (error) {
        throw withExitStatus(error, OWN_FAILURE);
      }
    },
  );
}

/**
 * Has the terminal started as the flags say; without any the attach itself starts it.
 * @returns The log of the terminal that runs then.
 */
async function prepare(
  link: WorkspaceLink,
  id: TerminalId,
  command: string[] | undefined,
  { directory, idle }: Flags,
): Promise<Epoch | undefined> {
  if (command === undefined && directory === undefined && idle === undefined) return undefined;
  const { created, epoch } = await link.create(id, {
    ...sizeOf(process.stdout),
    ...(command === undefined ? {} : { command }),
    ...(directory === undefined ? {} : { directory }),
    ...(idle === undefined ? {} : { idleMs: idle }),
  });
  if (!created) {
    if (idle !== undefined) await link.setIdle(id, idle);
    if (command !== undefined || directory !== undefined) {
      process.stderr.write(`[${id} runs already; joining it as it is]\n`);
    }
  }
  return parseEpoch(epoch);
}

/**
 * What stands after `--`, word for word. Absent: nothing.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT if words of a command stand before it.
 */
function wordsAfterDashes(args: string[], words: readonly string[]): string[] | undefined {
  const dashes = words.indexOf('--');
  const count = dashes === -1 ? 0 : words.length - dashes - 1;
  const before = args.length - count;
  if (before > 2) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', 'too many arguments', {
      hint: 'Put what the terminal shall run after `--`.',
    });
  }
  if (count === 0) return undefined;
  if (before < 2) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', 'a command needs a terminal of its own', {
      hint: 'Name it: `holdfast attach WORKSPACE NAME -- COMMAND`.',
    });
  }
  return args.slice(before);
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
