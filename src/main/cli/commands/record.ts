import type { Command } from 'commander';
import { HoldfastError, limits, sleep } from '../../../shared/common/index.js';
import { formatTime } from '../../../shared/common/recording/index.js';
import type { RecordingInfo } from '../../../shared/common/wire/index.js';
import type { Cli } from '../cli.js';
import { LinkKeeper } from '../link-keeper.js';
import { asHoldfastError, formatBytes } from '../output/index.js';
import { DownloadFiles, recordingArgument, recordingOf } from '../recordings/index.js';
import { LINK_SETTINGS, openLink, openLocalLink, workspaceName } from '../workspace-link.js';
import { terminalArgument } from './arguments.js';

const SETTINGS = [...LINK_SETTINGS, 'stateDir', 'socket'] as const;
const PROGRESS_MS = 1_000;
/** Errors after which asking again can help. */
const PASSING = new Set(['ERR_PEER_LOST', 'ERR_PEER_TIMEOUT', 'ERR_AGENT_OFFLINE', 'ERR_CLOSED']);

interface Flags {
  readonly input?: true;
  readonly name?: string;
  readonly out?: string;
  readonly local?: true;
}

/** `holdfast record WORKSPACE TERMINAL` */
export function build(cli: Cli): Command {
  const command = cli
    .command('record', 'Records a terminal of a workspace until Ctrl-C.', SETTINGS, {
      notes: [
        'The recording is made where the terminal runs, so it has no holes when your connection has. It is an\nasciicast v3 and stays there until it is deleted. All who watch the terminal are told. Of what is typed it\nholds, with --input, only what shows: no password.',
      ],
      examples: [
        ['holdfast record local main', 'what `main` shows from now on'],
        ['holdfast record local main --out demo.cast', 'the same, and fetch it at the end'],
        ['holdfast play local:demo', 'play one that was called so with --name demo'],
      ],
      exits: ['ok', 'failure', 'usage', 'denied', 'notFound', 'unreachable'],
    })
    .argument('<workspace>', 'name of the workspace')
    .argument('<terminal>', 'name of the terminal')
    .option('-i, --input', 'record what is typed, too, as far as it shows')
    .option('--name <name>', 'name of the recording; else made from terminal and time')
    .option('-o, --out <file>', 'fetch it into this new file at the end')
    .option('--local', "go over the agent's unix socket; the workspace name is then not looked up");
  return command.action(async (workspace: string, terminal: string, flags: Flags) => {
    const config = cli.config(command, SETTINGS);
    const id = terminalArgument(terminal);
    const name = flags.name === undefined ? {} : { name: recordingArgument(flags.name) };
    const stop = new AbortController();
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const onSignal = (): void => {
      stop.abort();
    };
    // Once: a second one ends the process at once.
    for (const signal of signals) process.once(signal, onSignal);
    const links = new LinkKeeper(() =>
      flags.local === true ? openLocalLink(config) : openLink(config, workspaceName(workspace)),
    );
    const files = flags.out === undefined ? undefined : await DownloadFiles.create(flags.out);
    try {
      const link = await links.get();
      const started = await link.recordings.record(id, { input: flags.input === true, ...name });
      cli.print(`Recording ${id} as ${started.name}. Ctrl-C ends it.\n`);
      const ended = await new Progress(links, started.name, cli).watch(stop.signal);
      report(cli, ended);
      if (files !== undefined && flags.out !== undefined) {
        const bytes = await files.fill(await links.get(), ended.name);
        cli.print(`Fetched ${formatBytes(bytes)} into ${flags.out}\n`);
      } else {
        cli.print(`Play it: holdfast play ${workspaceName(workspace)}:${ended.name}\n`);
      }
    } catch (error) {
      await files?.discard();
      throw error;
    } finally {
      for (const signal of signals) process.off(signal, onSignal);
      await links.close();
    }
  });
}

/** Follows a recording that the agent makes, over as many connections as it takes. */
class Progress {
  readonly #links: LinkKeeper;
  readonly #name: string;
  readonly #cli: Cli;
  readonly #live = process.stdout.isTTY;
  #isLost = false;

  constructor(links: LinkKeeper, name: string, cli: Cli) {
    this.#links = links;
    this.#name = name;
    this.#cli = cli;
  }

  /** Until the recording ends by itself, or `stop` aborts and it was stopped. */
  async watch(stop: AbortSignal): Promise<RecordingInfo> {
    try {
      for (;;) {
        const info = await this.#ask(stop.aborted);
        if (info !== undefined && info.state !== 'recording') return info;
        if (info === undefined && stop.aborted) {
          throw new HoldfastError(
            'ERR_PEER_LOST',
            `the workspace is not reached; ${this.#name} is still being recorded`,
            { hint: 'End it with `holdfast recordings WORKSPACE stop NAME`.' },
          );
        }
        if (info !== undefined) this.#show(info);
        if (!stop.aborted) await sleep(PROGRESS_MS, stop).catch(() => undefined);
      }
    } finally {
      if (this.#live) process.stdout.write('\r\x1b[K');
    }
  }

  /** How it stands, or, with `stop`, how it ended. Absent: the connection is lost. */
  async #ask(stop: boolean): Promise<RecordingInfo | undefined> {
    try {
      const link = await this.#links.get();
      if (stop) {
        const info = await recordingOf(link, this.#name);
        return info.state === 'recording' ? await link.recordings.stop(this.#name) : info;
      }
      const info = await recordingOf(link, this.#name);
      this.#isLost = false;
      return info;
    } catch (error) {
      const failure = asHoldfastError(error);
      if (!PASSING.has(failure.code)) throw failure;
      if (!this.#isLost) {
        process.stderr.write('holdfast: the connection is lost; the recording goes on\n');
      }
      this.#isLost = true;
      return undefined;
    }
  }

  #show({ bytes, durationMs, missing }: RecordingInfo): void {
    if (!this.#live) return;
    const parts = [formatTime(durationMs), formatBytes(bytes)];
    if (missing > 0) parts.push(`${formatBytes(missing)} missing`);
    this.#cli.print(`\r${parts.join(', ')}\x1b[K`);
  }
}

function report(cli: Cli, info: RecordingInfo): void {
  const parts = [formatTime(info.durationMs), formatBytes(info.bytes)];
  if (info.missing > 0) parts.push(`${formatBytes(info.missing)} of output are missing`);
  cli.print(`${info.name}: ${WHY[info.reason ?? 'closed']}; ${parts.join(', ')}\n`);
}

const WHY: Readonly<Record<NonNullable<RecordingInfo['reason']>, string>> = {
  exit: 'the program ended',
  stopped: 'stopped',
  closed: 'ended with the agent',
  limit: `ended, as long as a recording may be (${formatBytes(limits.RECORDING_BYTES)} unless set)`,
  quota: 'ended, there is no more space for recordings',
  'disk-full': 'ended, the disk of the workspace is full',
  'disk-error': 'ended, the disk of the workspace failed',
  lost: 'ended, what wrote it failed',
};
