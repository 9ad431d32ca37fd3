import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HoldfastError } from '../../../shared/common/index.js';
import { formatTime } from '../../../shared/common/recording/index.js';
import type { RecordingInfo } from '../../../shared/common/wire/index.js';
import type { Cli } from '../cli.js';
import { interruptible } from '../interrupt.js';
import { formatBytes, formatTable } from '../output/index.js';
import { DownloadFiles, recordingArgument } from '../recordings/index.js';
import {
  LINK_SETTINGS,
  openLink,
  openLocalLink,
  workspaceName,
  type WorkspaceLink,
} from '../workspace-link.js';

const SETTINGS = [...LINK_SETTINGS, 'stateDir', 'socket'] as const;
const ACTIONS = ['list', 'get', 'stop', 'delete'] as const;

interface Flags {
  readonly out?: string;
  readonly json?: true;
  readonly local?: true;
}

/** `holdfast recordings WORKSPACE [list|get|stop|delete] [NAME]` */
export function build(cli: Cli): Command {
  const command = cli
    .command('recordings', 'Lists, fetches, stops and deletes recordings of terminals.', SETTINGS, {
      examples: [
        ['holdfast recordings local', 'which there are'],
        ['holdfast recordings local get demo', 'fetch one into demo.cast'],
        ['holdfast recordings local get demo --out /tmp/d.cast', 'into another file'],
        ['holdfast recordings local stop demo', 'end one that is being made'],
        ['holdfast recordings local delete demo', 'remove it from the workspace'],
      ],
    })
    .argument('<workspace>', 'name of the workspace')
    .argument('[action]', `one of ${ACTIONS.join(', ')}`, 'list')
    .argument('[name]', 'name of the recording')
    .option('-o, --out <file>', 'new file to fetch into')
    .option('--json', 'print JSON')
    .option('--local', "go over the agent's unix socket; the workspace name is then not looked up");
  return command.action(
    async (workspace: string, word: string, name: string | undefined, flags: Flags) => {
      const config = cli.config(command, SETTINGS);
      const action = ACTIONS.find((known) => known === word);
      if (action === undefined) {
        throw new HoldfastError('ERR_INVALID_ARGUMENT', `unknown action ${JSON.stringify(word)}`, {
          hint: `Use one of ${ACTIONS.join(', ')}.`,
        });
      }
      if (action !== 'list' && name === undefined) {
        throw new HoldfastError('ERR_INVALID_ARGUMENT', `which recording to ${action}?`);
      }
      await interruptible(async ({ signal, use }) => {
        const link = use(
          flags.local === true
            ? await openLocalLink(config, { signal })
            : await openLink(config, workspaceName(workspace), signal),
        );
        if (action === 'list') list(cli, await link.recordings.list(), flags);
        else await perform(cli, link, { action, name: recordingArgument(name ?? '') }, flags);
      });
    },
  );
}

async function perform(
  cli: Cli,
  link: WorkspaceLink,
  { action, name }: { readonly action: 'get' | 'stop' | 'delete'; readonly name: string },
  { out, json }: Flags,
): Promise<void> {
  switch (action) {
    case 'get': {
      const file = resolve(cli.cwd, out ?? `${name}.cast`);
      const files = await DownloadFiles.create(file);
      try {
        const bytes = await files.fill(link, name);
        cli.print(`${formatBytes(bytes)} in ${file}\n`);
      } catch (error) {
        await files.discard();
        throw error;
      }
      return;
    }
    case 'stop': {
      const info = await link.recordings.stop(name);
      if (json === true) cli.printJson(info);
      return;
    }
    case 'delete':
      await link.recordings.delete(name);
      return;
    default:
      action satisfies never;
  }
}

function list(cli: Cli, recordings: readonly RecordingInfo[], { json }: Flags): void {
  if (json === true) {
    cli.printJson(recordings);
    return;
  }
  if (recordings.length === 0) {
    cli.print('No recordings. Make one with `holdfast record`.\n');
    return;
  }
  const rows = recordings.map((recording) => [
    recording.name,
    recording.terminal,
    recording.reason === undefined ? recording.state : `${recording.state} (${recording.reason})`,
    formatTime(recording.durationMs),
    formatBytes(recording.bytes),
    recording.missing === 0 ? '' : formatBytes(recording.missing),
    recording.input ? 'yes' : '',
    recording.startedAt.replace(/\.[0-9]+Z$/, 'Z'),
  ]);
  cli.print(
    formatTable(
      ['RECORDING', 'TERMINAL', 'STATE', 'LENGTH', 'SIZE', 'MISSING', 'INPUT', 'STARTED'],
      rows,
    ),
  );
}
