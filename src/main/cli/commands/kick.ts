import type { Command } from 'commander';
import { HoldfastError, type ViewerId } from '../../../shared/common/index.js';
import type { Presence } from '../../../shared/common/wire/index.js';
import type { Cli } from '../cli.js';
import { interruptible } from '../interrupt.js';
import { LINK_SETTINGS, openLink, workspaceName } from '../workspace-link.js';
import { terminalArgument } from './arguments.js';

/** `holdfast kick WORKSPACE TERMINAL VIEWER` */
export function build(cli: Cli): Command {
  const command = cli
    .command('kick', 'Ends the viewing of somebody attached to a terminal.', LINK_SETTINGS, {
      notes: [
        'For owners of the workspace. Who was kicked is told, does not come back without being asked to, and\ncan: a share link is closed for good by revoking it.',
      ],
      examples: [
        ['holdfast terminals local --viewers', 'who is attached, with their numbers'],
        ['holdfast kick local main 7', 'viewer 7'],
        ['holdfast kick local main ann', 'all viewers of the name ann'],
      ],
    })
    .argument('<workspace>', 'name of the workspace')
    .argument('<terminal>', 'name of the terminal')
    .argument('<viewer>', 'number or name of the viewer');
  return command.action(async (workspace: string, terminal: string, viewer: string) => {
    const config = cli.config(command, LINK_SETTINGS);
    const id = terminalArgument(terminal);
    await interruptible(async ({ signal, use }) => {
      const link = use(await openLink(config, workspaceName(workspace), signal));
      for (const found of findViewers(await link.viewers(id), viewer)) {
        await link.dropViewer(id, found);
      }
    });
  });
}

/**
 * The viewers that `text` names: by number, else all of that name.
 * @throws {HoldfastError} ERR_VIEWER_NOT_FOUND.
 */
export function findViewers({ names }: Presence, text: string): ViewerId[] {
  const byNumber = names.filter(({ id }) => String(id) === text);
  const found = byNumber.length > 0 ? byNumber : names.filter(({ subject }) => subject === text);
  if (found.length > 0) return found.map(({ id }) => id);
  throw new HoldfastError('ERR_VIEWER_NOT_FOUND', `nobody here is ${JSON.stringify(text)}`);
}
