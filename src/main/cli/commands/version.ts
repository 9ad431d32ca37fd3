import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { readVersion } from '../version.js';

/** `holdfast version` */
export function build(cli: Cli): Command {
  return cli
    .command('version', 'Prints the version of Holdfast.', [], {
      examples: [
        ['holdfast version', ''],
        ['holdfast version --json', 'with the version of Node and the platform'],
      ],
      exits: ['ok'],
    })
    .option('--json', 'print JSON')
    .action(({ json }: { json?: true }) => {
      const version = readVersion();
      if (json === true) {
        const { arch, platform, version: node } = process;
        cli.printJson({ version, node, platform, arch });
      } else {
        cli.print(`holdfast ${version}\n`);
      }
    });
}
