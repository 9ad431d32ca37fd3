import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { limits } from '../../../shared/common/index.js';
import { ChannelDuplex } from '../../../shared/node/ports/index.js';
import type { Cli } from '../cli.js';
import { interruptible } from '../interrupt.js';
import { asHoldfastError } from '../output/index.js';
import { LINK_SETTINGS, openLink, workspaceName } from '../workspace-link.js';

/** `holdfast proxy WORKSPACE`: what ssh runs as its ProxyCommand. */
export function build(cli: Cli): Command {
  const command = cli
    .command(
      'proxy',
      'Connects standard input and output to the SSH server of a workspace.',
      LINK_SETTINGS,
      {
        notes: ['Meant for ProxyCommand of ssh; `holdfast config-ssh` writes that for you.'],
        examples: [
          ["ssh -o ProxyCommand='holdfast proxy local' x", 'by hand, without a host key check'],
        ],
      },
    )
    .argument('<workspace>', 'NAME or NAME.holdfast');
  return command.action(async (workspace: string) => {
    const config = cli.config(command, LINK_SETTINGS);
    await interruptible(async ({ signal, use }) => {
      const link = use(await openLink(config, workspaceName(workspace), signal));
      const channel = link.openChannel({ label: 'ssh', protocol: 'ssh' });
      // Only what the channel cannot take at the moment waits here: pipeline honours back-pressure.
      const stream = new ChannelDuplex(channel, { maxQueuedBytes: limits.SSH_CONNECTION_BYTES });
      await eitherEnd(stream);
    });
  });
}

/** Pipes both ways; done when either side has ended and what it sent before is written. */
async function eitherEnd(stream: ChannelDuplex): Promise<void> {
  const up = pipeline(process.stdin, stream).then(() => 'up' as const, failed);
  const down = pipeline(stream, process.stdout, { end: false }).then(() => 'down' as const, failed);
  const first = await Promise.race([up, down]);
  if (typeof first !== 'string') throw asHoldfastError(first.error);
}

function failed(error: unknown): { readonly error: unknown } {
  return { error };
}
