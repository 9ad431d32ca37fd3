import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { PACKAGE_VERSION } from '../../../shared/node/package-info/index.js';

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
      if (json === true) {
        const { arch, platform, version: node } = process;
        cli.printJson({ version: PACKAGE_VERSION, node, platform, arch });
      } else {
        cli.print(`holdfast ${PACKAGE_VERSION}\n`);
      }
    });
}
