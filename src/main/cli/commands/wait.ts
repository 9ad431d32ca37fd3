import type { Command } from 'commander';
import { HoldfastError, toErrorRecord, type TerminalId } from '../../../shared/common/index.js';
import type { WaitResult } from '../../../shared/common/peer-auth/index.js';
import type { Cli } from '../cli.js';
import { withExitStatus } from '../failure.js';
import { interruptible } from '../interrupt.js';
import { signalNumber } from '../signals.js';
import { LINK_SETTINGS, openLink, openLocalLink, workspaceName } from '../workspace-link.js';
import { terminalArgument, timeArgument } from './arguments.js';

const SETTINGS = [...LINK_SETTINGS, 'stateDir', 'socket'] as const;
/** As ssh has it: commands end with this one rarely. */
const OWN_FAILURE = 255;
/** As timeout(1) has it. */
const TIMED_OUT = 124;

interface Flags {
  readonly timeout?: number;
  readonly json?: true;
  readonly local?: true;
}

/** `holdfast wait WORKSPACE TERMINAL` */
export function build(cli: Cli): Command {
  const command = cli
    .command('wait', 'Waits for the next command in a terminal to end.', SETTINGS, {
      notes: [
        'The command that runs now, or else the next. In a terminal that runs a program instead of a shell that\nis the program. A shell has to say where its commands end: see `holdfast shell-integration --help`.',
      ],
      examples: [
        [
          'holdfast wait local build && notify-send built',
          'when what runs in `build` has succeeded',
        ],
        ['holdfast wait local build --timeout 10m', 'no longer than that'],
        ['holdfast wait local build --json', 'with the command and how long it took'],
      ],
      exits:
        'that of the command, 128 and the signal for one that was killed; 124 when the time is up;\n  255 for a failure of our own',
    })
    .argument('<workspace>', 'name of the workspace')
    .argument('<terminal>', 'name of the terminal')
    .option('--timeout <time>', 'give up after this time', (text) =>
      timeArgument('--timeout', text),
    )
    .option('--json', 'print how it ended as JSON')
    .option('--local', "go over the agent's unix socket; the workspace name is then not looked up");
  return command.action(async (workspace: string, terminal: string, flags: Flags) => {
    try {
      const config = cli.config(command, SETTINGS);
      const id = terminalArgument(terminal);
      const result = await interruptible(async ({ signal, use }) => {
        const link = use(
          flags.local === true
            ? await openLocalLink(config, { signal })
            : await openLink(config, workspaceName(workspace), signal),
        );
        return await link.wait(id, flags.timeout);
      });
      const status = statusOf(result, id);
      const { command: line, durationMs } = result;
      if (flags.json === true) cli.printJson({ command: line, status, durationMs });
      cli.exitStatus = status;
    } catch (error) {
      const isLate = toErrorRecord(error).code === 'ERR_WAIT_TIMEOUT';
      throw withExitStatus(error, isLate ? TIMED_OUT : OWN_FAILURE);
    }
  });
}

/** @throws {HoldfastError} ERR_TERMINAL_ENDED, ERR_SHELL_INTEGRATION if the shell kept it to itself. */
function statusOf({ ended, exit }: WaitResult, id: TerminalId): number {
  if (ended === 'terminal') {
    throw new HoldfastError('ERR_TERMINAL_ENDED', `${id} ended before a command in it did`);
  }
  switch (exit.kind) {
    case 'status':
      return exit.status;
    case 'signal':
      return 128 + signalNumber(exit.signal);
    case 'unknown':
      throw new HoldfastError(
        'ERR_SHELL_INTEGRATION',
        `nobody said how the command in ${id} ended`,
      );
    default:
      return exit satisfies never;
  }
}
