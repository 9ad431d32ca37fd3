import type { Command } from 'commander';
import { HoldfastError } from '../../../shared/common/index.js';
import type { Cli } from '../cli.js';
import { KnownAgents } from '../known-agents.js';
import { CLIENT_SETTINGS, knownHostKey, requireLogin, workspaceName } from '../workspace-link.js';

/** `holdfast known-hosts HOST`: what ssh runs as its KnownHostsCommand. */
export function build(cli: Cli): Command {
  const command = cli
    .command(
      'known-hosts',
      'Prints the SSH host key of a workspace as a known_hosts line.',
      CLIENT_SETTINGS,
      {
        notes: ['Meant for KnownHostsCommand of ssh; `holdfast config-ssh` writes that for you.'],
        examples: [
          ['holdfast known-hosts local.holdfast', ''],
          ['holdfast known-hosts --forget local', 'after its agent was reinstalled'],
        ],
      },
    )
    .argument('<host>', 'NAME.holdfast, as ssh looks it up')
    .option('--forget', 'forget the keys of this workspace instead');
  return command.action(async (host: string, { forget }: { forget?: true }) => {
    // ssh writes [host]:port for any port but 22.
    const name = /^\[(.+)\]:[0-9]+$/.exec(host)?.[1] ?? host;
    if (/\s/.test(host)) throw new HoldfastError('ERR_INVALID_ARGUMENT', 'not a host name');
    const config = cli.config(command, CLIENT_SETTINGS);
    if (forget === true) {
      const { brokerUrl } = requireLogin(config);
      const agents = new KnownAgents(config.configDir, brokerUrl);
      const forgot = await agents.forget(workspaceName(name));
      cli.print(forgot ? `Forgot the keys of ${name}\n` : `No keys of ${name} are known\n`);
      return;
    }
    cli.print(`${host} ${await knownHostKey(config, workspaceName(name))}\n`);
  });
}
