import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HoldfastError, sleep } from '../../../shared/common/index.js';
import { openRemoteRecording, type OpenRecording } from '../../../shared/common/recording/index.js';
import type { Cli } from '../cli.js';
import { interruptible } from '../interrupt.js';
import { openFile, parseTime, playRecording } from '../play/index.js';
import { sizeOf } from '../raw-terminal.js';
import { recordingArgument } from '../recordings/index.js';
import { timeArgument } from './arguments.js';
import { LINK_SETTINGS, openLink, openLocalLink, workspaceName } from '../workspace-link.js';

const SETTINGS = [...LINK_SETTINGS, 'stateDir', 'socket'] as const;
const NOTICE_MS = 1_500;

interface Flags {
  readonly speed: string;
  readonly idleLimit?: string;
  readonly at?: string;
  readonly local?: true;
}

/** `holdfast play FILE|WORKSPACE:NAME` */
export function build(cli: Cli): Command {
  const command = cli
    .command('play', 'Plays a recording in this terminal.', SETTINGS, {
      notes: [
        'Keys: space pauses and plays, left and right go 5 s back and forth, down and up a minute, - and + halve and\ndouble the speed, q leaves. Any asciicast of version 2 or 3 can be played; one of ours is not fetched as a\nwhole, only what is looked at.',
      ],
      examples: [
        ['holdfast play demo.cast', 'a file'],
        ['holdfast play local:demo', 'a recording in the workspace `local`'],
        [
          'holdfast play local:demo --at 1:30 --speed 2',
          'from a minute and a half on, twice as fast',
        ],
        ['holdfast play demo.cast --idle-limit 2s', 'no pause longer than two seconds'],
      ],
      exits: ['ok', 'failure', 'usage', 'denied', 'notFound', 'unreachable', 'interrupted'],
    })
    .argument('<recording>', 'a file, or WORKSPACE:NAME')
    .option('-s, --speed <number>', 'how many times as fast', '1')
    .option('-i, --idle-limit <time>', 'longest pause; else as the recording says')
    .option('--at <time>', 'where to begin: seconds, or MINUTES:SECONDS')
    .option('--local', "go over the agent's unix socket; the workspace name is then not looked up");
  return command.action(async (argument: string, flags: Flags) => {
    const config = cli.config(command, SETTINGS);
    const options = parseFlags(flags);
    const file = resolve(cli.cwd, argument);
    const remote = /^([^:/]+):([^:/]+)$/.exec(argument);
    await interruptible(async ({ signal, use }) => {
      let recording: OpenRecording;
      if (remote === null || existsSync(file)) {
        recording = await openFile(file);
      } else {
        const [, workspace = '', name = ''] = remote;
        const wanted = recordingArgument(name);
        const link = use(
          flags.local === true
            ? await openLocalLink(config, { signal })
            : await openLink(config, workspaceName(workspace), signal),
        );
        recording = await openRemoteRecording(
          (label) => link.openChannel({ label, protocol: 'recording' }),
          wanted,
        );
      }
      await tellIfTooSmall(recording, signal);
      await playRecording({ recording, signal, ...options });
    });
  });
}

/** A window cannot be made larger from here; better to know before the picture is garbled. */
async function tellIfTooSmall({ header }: OpenRecording, signal: AbortSignal): Promise<void> {
  if (!process.stdout.isTTY) return;
  const { rows, cols } = sizeOf(process.stdout);
  if (rows >= header.size.rows && cols >= header.size.cols) return;
  process.stderr.write(
    `holdfast: this window has ${String(cols)}x${String(rows)} cells and the recording ${String(header.size.cols)}x${String(header.size.rows)}; it will not look right\n`,
  );
  await sleep(NOTICE_MS, signal);
}

function parseFlags({ speed, idleLimit, at }: Flags): {
  readonly speed: number;
  readonly idleLimitMs: number | undefined;
  readonly at: number;
} {
  const factor = /^[0-9]{1,2}(\.[0-9]{1,3})?$/.test(speed) ? Number(speed) : 0;
  if (factor < 1 / 16 || factor > 64) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', '--speed must be a number from 0.0625 to 64');
  }
  const start = at === undefined ? 0 : parseTime(at);
  if (start === undefined) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', '--at must be a time such as 90 or 1:30');
  }
  return {
    speed: factor,
    idleLimitMs: idleLimit === undefined ? undefined : timeArgument('--idle-limit', idleLimit),
    at: start,
  };
}
