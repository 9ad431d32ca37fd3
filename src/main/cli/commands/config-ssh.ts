import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { PROGRAM_FILE } from '../../../shared/node/package-info/index.js';
import type { Cli } from '../cli.js';
import { blockLines, wholeFile, writeBlock } from '../ssh-config/index.js';
import { CLIENT_SETTINGS, requireLogin } from '../workspace-link.js';

interface Flags {
  readonly print?: true;
  readonly remove?: true;
  readonly file: string;
}

/** `holdfast config-ssh` */
export function build(cli: Cli): Command {
  const command = cli
    .command(
      'config-ssh',
      'Lets plain ssh, scp, sftp and rsync reach workspaces as NAME.holdfast.',
      CLIENT_SETTINGS,
      {
        notes: [
          'Writes one marked block into the ssh configuration and touches nothing else in it. Running it\nagain replaces the block.',
        ],
        examples: [
          ['holdfast config-ssh', 'into ~/.ssh/config; then: ssh local.holdfast'],
          [
            'holdfast config-ssh --print > holdfast.conf',
            'a whole file; then: ssh -F holdfast.conf ...',
          ],
          ['holdfast config-ssh --remove', 'take the block out again'],
        ],
      },
    )
    .option('--print', 'print a whole configuration instead of writing')
    .option('--remove', 'take the block out')
    .option('--file <file>', 'the ssh configuration', join(homedir(), '.ssh', 'config'));
  return command.action((flags: Flags) => {
    const config = cli.config(command, CLIENT_SETTINGS);
    const file = resolve(cli.cwd, flags.file);
    if (flags.remove === true) {
      cli.print(writeBlock(file, '') ? `Removed from ${file}\n` : `Nothing to remove in ${file}\n`);
      return;
    }
    requireLogin(config);
    const options = { node: process.execPath, cli: PROGRAM_FILE, configDir: config.configDir };
    if (flags.print === true) {
      cli.print(wholeFile(options));
      return;
    }
    const changed = writeBlock(file, blockLines(options));
    cli.print(changed ? `Wrote ${file}\n` : `${file} is up to date\n`);
    cli.print('Now: ssh NAME.holdfast\n');
  });
}
