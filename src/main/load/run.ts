import { HoldfastError } from '../../shared/common/index.js';
import { Cli, exitStatusOf, fromCommander, SIGPIPE_STATUS } from '../cli/index.js';
import { takeSecrets } from '../cli/config/index.js';
import { asHoldfastError, EXIT, formatError } from '../cli/output/index.js';
import { buildCommand, PROGRAM, type Flags } from './command.js';
import { readProcess } from './figures/index.js';
import { Load } from './load.js';
import { makePlan } from './options/index.js';
import { formatSummary, Progress, resultOf, type ProgressStream } from './report/index.js';
import { targetOf, type Target } from './target.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** What a load that runs may be told from outside. */
let running: Load | undefined;

/** The reader of the output has gone: ends a load that runs. False: there is none. */
export function readerGone(): boolean {
  if (running === undefined) return false;
  running.stop();
  return true;
}

/**
 * Runs the program over `args` (without `node` and itself). Prints what there is to print, errors included.
 * @returns The exit status.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { token } = takeSecrets(process.env);
  try {
    const cli = new Cli({ env: { ...process.env }, token, cwd: process.cwd() }, args);
    const command = buildCommand(cli);
    command.action(async (workspace: string | undefined, flags: Flags) => {
      const target = targetOf(cli, command, workspace, flags.local === true);
      cli.exitStatus = await perform(cli, target, flags);
    });
    try {
      await command.parseAsync(args, { from: 'user' });
    } catch (error) {
      const outcome = fromCommander(error, PROGRAM);
      if (outcome === 'shown') return EXIT.ok;
      throw outcome;
    }
    return cli.exitStatus;
  } catch (error) {
    const failure = asHoldfastError(error);
    process.stderr.write(formatError(failure, PROGRAM));
    return exitStatusOf(failure);
  }
}

/** @throws {HoldfastError} why the load could not be put on or could not go on, after the summary. */
async function perform(cli: Cli, target: Target, flags: Flags): Promise<number> {
  const plan = makePlan(flags, flags.profile);
  const agentSocket = cli.env['SSH_AUTH_SOCK'];
  let progress: Progress | undefined;
  const load = new Load({
    plan,
    target,
    agentPid: agentPid(flags.agentPid) ?? target.agentPid,
    agentSocket: agentSocket === '' ? undefined : agentSocket,
    onPhase: () => progress?.update(),
  });
  if (flags.quiet !== true && (flags.json !== true || process.stderr.isTTY))
    progress = new Progress(load, target.name, screenOf(cli), cli.style(process.stderr));
  const startedAt = new Date();
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    if (signals === 1) load.stop();
    else load.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  running = load;
  progress?.start();
  let failure: HoldfastError | undefined;
  try {
    await load.perform();
  } catch (error) {
    failure = asHoldfastError(error);
  } finally {
    progress?.stop();
    running = undefined;
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
  const wasStopped = signals > 0 && failure?.code === 'ERR_CLOSED';
  const verdict = wasStopped ? 'interrupted' : failure === undefined ? 'ok' : 'failed';
  const result = resultOf(load, { startedAt, target: target.name, verdict });
  if (flags.json === true) cli.printJson(result);
  else if (result.counts.created + result.seconds > 0)
    cli.print(formatSummary(result, cli.style(process.stdout)));
  if (signals > 1)
    process.stderr.write(
      'Ended in a hurry; terminals that are left end by themselves in a minute.\n',
    );
  if (process.stdout.errored !== null) return SIGPIPE_STATUS;
  if (wasStopped || signals > 1) return EXIT.interrupted;
  if (failure !== undefined) throw failure;
  return result.verdict === 'ok' ? EXIT.ok : EXIT.failure;
}

/** A terminal that cannot move its cursor gets lines, as a pipe does. */
function screenOf(cli: Cli): ProgressStream {
  if (cli.env['TERM'] !== 'dumb') return process.stderr;
  return { write: (text) => process.stderr.write(text) };
}

/** @throws {HoldfastError} ERR_INVALID_ARGUMENT if there is no such process, or it may not be looked at. */
function agentPid(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const pid = /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : undefined;
  if (pid !== undefined && readProcess(pid) !== undefined) return pid;
  const why = 'must be a process of this machine that you may look at';
  throw new HoldfastError(
    'ERR_INVALID_ARGUMENT',
    `--agent-pid ${JSON.stringify(text.slice(0, 20))} ${why}`,
    { hint: 'Leave it out to do without memory and CPU of the agent.' },
  );
}
