import type { Cli } from '../cli/index.js';
import { DEFAULTS, PROFILES, type RawOptions } from './options/index.js';
import { TARGET_SETTINGS } from './target.js';

/** Name of the program, as it is called. */
export const PROGRAM = 'holdfast-load';

/** The flags, as they were given. */
export interface Flags extends RawOptions {
  readonly local?: true;
  readonly profile?: string;
  readonly agentPid?: string;
  readonly json?: true;
  readonly quiet?: true;
}

type Command = ReturnType<Cli['command']>;

/** The settings of all programs come after it and so under it. */
const AGENT_GROUP = 'The agent:';
const HELP_COLUMNS = 100;

/** The command line of the program; what it does is up to the caller. */
export function buildCommand(cli: Cli): Command {
  const command = cli.command(
    PROGRAM,
    'Puts a load on the agent of a workspace and finds out whether it loses anything: terminals that print numbered lines, viewers that check every byte, keys that are timed, and everything coming and going.',
    TARGET_SETTINGS,
    {
      first: declareOptions,
      notes: [
        'RATE is 10KiB/s, max (as much as it is let) or silent. OFTEN is so many in a time, such as 5/s or\n2/10s, or a share of all at a time, such as 10%/3s; 0 is never. SIZE is 500B, 64KiB, 1.5MiB. TIME\nis 30s, 10m, 1h.',
        `Profiles:\n${profileLines()}`,
        'Everything that it starts is taken back, also after Ctrl-C. Terminals of a load that was killed end\nby themselves a minute later. They are called load-RUN-NUMBER; look at one with\n`holdfast attach WORKSPACE load-RUN-NUMBER --read-only`. docs/load.md says more.',
      ],
      examples: [
        [`${PROGRAM} local`, 'a little of everything, for half a minute'],
        [`${PROGRAM} --local --profile flood`, 'the agent on this machine, past the broker'],
        [`${PROGRAM} local --terminals 200 --rate 1KiB/s`, 'as many as you expect, and their pace'],
        [`${PROGRAM} local --terminals 50@1KiB/s,2@max`, 'most of them quiet, two that flood'],
        [`${PROGRAM} local --viewers 20 --reconnect 10%/3s`, 'shared, over connections that break'],
        [`${PROGRAM} local --terminals 0 --ssh 20 --sftp-up 64MiB`, 'SSH alone'],
        [`${PROGRAM} local --profile soak --duration 1h --json`, 'an hour, for a script'],
      ],
      exits:
        '0 nothing was lost, doubled or changed; 1 something was, or it could not go on; 130 interrupted\n  before the load stood; else as those of holdfast, see docs/configuration.md',
    },
  );
  return command
    .argument('[workspace]', 'name of the workspace; or none, with --local')
    .addHelpOption(command.createOption('-h, --help', 'show this help').helpGroup(AGENT_GROUP));
}

function declareOptions(command: Command): void {
  const usual = (name: keyof RawOptions): string => ` [${String(DEFAULTS[name] ?? 'none')}]`;
  command
    .optionsGroup('The load:')
    .option('--profile <name>', 'a set of these options by one name, see below; others still count')
    .option(
      '--terminals <count>',
      `how many; COUNT@RATE,COUNT@RATE for several kinds${usual('terminals')}`,
    )
    .option('--rate <rate>', `what each prints${usual('rate')}`)
    .option('--viewers <count>', `who watch each of them, and check${usual('viewers')}`)
    .option(
      '--connections <count>',
      'over how many connections all of it goes [one for each viewer]',
    )
    .option('--pace <pace>', 'whom programs wait for: fastest, slowest, free')
    .option('--duration <time>', `from when all is set up; 0 until Ctrl-C${usual('duration')}`)
    .option('--seed <number>', 'choose the same victims as the load with this seed')
    .optionsGroup('Typing and transfers:')
    .option('--echo <count>', `further terminals, which are typed into${usual('echo')}`)
    .option('--ssh <count>', `SSH sessions, which are typed into${usual('ssh')}`)
    .option('--keys <often>', `keys typed into each of them, echoed or not${usual('keys')}`)
    .option('--exec <often>', 'commands over SSH')
    .option('--sftp-up <size>', 'send a file of this size, again and again')
    .option('--sftp-down <size>', 'fetch one')
    .optionsGroup('Coming and going (OFTEN):')
    .option('--attach-churn <often>', 'visitors attach, look and leave')
    .option('--detach <often>', 'viewers leave and come back')
    .option('--resize <often>', 'viewers change the size of their window')
    .option('--reconnect <often>', 'connections are cut, and all on them come back')
    .option('--create-churn <often>', 'terminals end or are killed, and new ones start')
    .optionsGroup('Result:')
    .option('--strict', 'gaps that viewers were told of are failures, too')
    .option(
      '--agent-pid <pid>',
      'process of the agent on this machine [found for --local and `holdfast up`]',
    )
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'show no progress')
    .optionsGroup(AGENT_GROUP)
    .option('--local', 'the one on this machine, over its unix socket, instead of a workspace');
}

function profileLines(): string {
  const width = Math.max(...Object.keys(PROFILES).map((name) => name.length));
  const indent = ' '.repeat(width + 4);
  return Object.entries(PROFILES)
    .map(([name, { summary, options }]) => {
      const flags = wrapped(asFlags(options), HELP_COLUMNS - indent.length);
      return [`  ${name.padEnd(width)}  ${summary}`, ...flags.map((line) => indent + line)].join(
        '\n',
      );
    })
    .join('\n');
}

/** Words in lines of at most so many columns. */
function wrapped(words: readonly string[], columns: number): string[] {
  const lines = [''];
  for (const word of words) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** As they would be typed. */
function asFlags(options: RawOptions): string[] {
  return Object.entries(options).map(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === true ? flag : `${flag} ${String(value)}`;
  });
}
