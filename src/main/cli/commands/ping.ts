import type { Command } from 'commander';
import { HoldfastError, sleep } from '../../../shared/common/index.js';
import type { Cli } from '../cli.js';
import { interruptible } from '../interrupt.js';
import { LINK_SETTINGS, openLink, workspaceName } from '../workspace-link.js';

const INTERVAL_MS = 1_000;

/** `holdfast ping WORKSPACE` */
export function build(cli: Cli): Command {
  const command = cli
    .command('ping', 'Measures the way to the agent of a workspace.', LINK_SETTINGS, {
      examples: [
        ['holdfast ping local', 'four times, a second apart'],
        ['holdfast ping local --count 1 --json', 'once, for a program'],
        ['holdfast ping local --engine relay', 'through the broker, whatever is shorter'],
      ],
    })
    .argument('<workspace>', 'name of the workspace')
    .option('-c, --count <number>', 'how many times', '4')
    .option('--json', 'print JSON');
  return command.action(
    async (workspace: string, { count, json }: { count: string; json?: true }) => {
      const times = Number(count);
      if (!/^[0-9]{1,6}$/.test(count) || times < 1) {
        throw new HoldfastError('ERR_INVALID_ARGUMENT', '--count must be a whole number from 1');
      }
      const config = cli.config(command, LINK_SETTINGS);
      const name = workspaceName(workspace);
      await interruptible(async ({ signal, use }) => {
        const start = performance.now();
        const link = use(await openLink(config, name, signal));
        const connectMs = performance.now() - start;
        if (json !== true) {
          cli.print(`${name}: connected by ${link.engine} in ${milliseconds(connectMs)}\n`);
        }
        const samples: number[] = [];
        for (let sequence = 1; sequence <= times; sequence += 1) {
          if (sequence > 1) await sleep(INTERVAL_MS, signal);
          const sent = performance.now();
          await link.ping();
          const took = performance.now() - sent;
          samples.push(took);
          if (json !== true) {
            cli.print(`${name}: answer ${String(sequence)} after ${milliseconds(took)}\n`);
          }
        }
        if (json === true) {
          cli.printJson({ workspace: name, engine: link.engine, connectMs, samplesMs: samples });
        }
      });
    },
  );
}

function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}
