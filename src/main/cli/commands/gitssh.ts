import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { withExitStatus } from '../failure.js';

const OWN_FAILURE = 255;

/** `holdfast gitssh -- ARGS` */
export function build(cli: Cli): Command {
  return cli
    .command('gitssh', "Runs ssh with the workspace's Git key among its keys.", [], {
      notes: [
        'Git calls it inside a workspace, through GIT_SSH_COMMAND. The key stays in the memory of the agent;\nyour own keys go on working.',
      ],
      examples: [['holdfast gitssh -- git@git.example', 'what Git runs']],
      exits: 'that of ssh; 255 for a failure of our own',
    })
    .argument('[args...]', 'arguments for ssh')
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: readonly string[]) => {
      try {
        const { runGitSsh } = await import('../../client/gitssh/index.js');
        cli.exitStatus = await runGitSsh(args, process.env);
      } catch (error) {
        throw withExitStatus(error, OWN_FAILURE);
      }
    });
}
