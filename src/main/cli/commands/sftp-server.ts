import type { Command } from 'commander';
import type { Cli } from '../cli.js';

/** `holdfast sftp-server` */
export function build(cli: Cli): Command {
  return cli
    .command('sftp-server', 'Serves SFTP on standard input and output.', [], {
      notes: [
        "Takes the flags of OpenSSH's sftp-server: -R read-only, -d FOLDER to start in, -e log to standard\nerror, -l LEVEL.",
      ],
      examples: [
        ['sftp -D "holdfast sftp-server"', 'try it, with no network at all'],
        ['holdfast sftp-server -R -d /srv', 'read-only'],
      ],
      exits: '0 after a session; 1 for wrong flags; 255 after a malformed packet',
    })
    .argument('[flags...]', "flags of OpenSSH's sftp-server")
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (flags: readonly string[]) => {
      const { sftpServerMain } = await import('../../agent/sftp/index.js');
      cli.exitStatus = await sftpServerMain(flags);
    });
}
