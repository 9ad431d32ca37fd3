import { Argument, type Command } from 'commander';
import type { Cli } from '../cli.js';
import { SHELL_SCRIPTS } from '../shell-integration/index.js';

/** `holdfast shell-integration SHELL` */
export function build(cli: Cli): Command {
  return cli
    .command(
      'shell-integration',
      'Prints a script that has a shell tell its terminal the working directory, and where commands begin and end.',
      [],
      {
        notes: [
          'For the shells in a workspace: `holdfast wait` and the list of terminals live by it. The script does\nnothing in a shell that is not interactive, and can be run twice. It contacts nobody.',
        ],
        examples: [
          ['eval "$(holdfast shell-integration bash)"', 'in this shell, or in ~/.bashrc'],
          ['eval "$(holdfast shell-integration zsh)"', 'the same for ~/.zshrc'],
          ['holdfast shell-integration fish | source', 'for ~/.config/fish/config.fish'],
        ],
        exits: ['ok', 'usage'],
      },
    )
    .addArgument(new Argument('<shell>', 'whose script').choices(Object.keys(SHELL_SCRIPTS)))
    .action((shell: keyof typeof SHELL_SCRIPTS) => {
      cli.print(SHELL_SCRIPTS[shell]);
    });
}
