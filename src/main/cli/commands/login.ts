import type { Command } from 'commander';
import { HoldfastError } from '../../../shared/common/index.js';
import type { Cli } from '../cli.js';
import { parseToken, Secret, updateConfigFile, type Config } from '../config/index.js';
import { readHidden, readAll } from '../prompt.js';
import { CLIENT_SETTINGS, openBroker } from '../workspace-link.js';

/** `holdfast login URL` */
export function build(cli: Cli): Command {
  const command = cli
    .command(
      'login',
      'Remembers a broker and a token in the config file (0600).',
      CLIENT_SETTINGS,
      {
        notes: [
          'The token is read from --token-file, --token-fd or standard input, never from the command line,\nwhere others could see it. It is tried before anything is written.',
        ],
        examples: [
          ['holdfast login https://broker.example', 'asks for the token'],
          ['holdfast login https://broker.example < token', 'reads it'],
          ['holdfast login http://127.0.0.1:7420 --token-file t', 'the same from a file'],
        ],
      },
    )
    .argument('[url]', 'address of the broker');
  return command.action(async (url: string | undefined) => {
    if (url !== undefined) command.setOptionValue('broker', url);
    const config = cli.config(command, CLIENT_SETTINGS);
    if (config.brokerUrl === undefined) {
      throw new HoldfastError('ERR_INVALID_ARGUMENT', 'no broker given', {
        hint: 'Say which: `holdfast login https://broker.example`.',
      });
    }
    const token = (await newToken(config)).reveal();
    const secret = new Secret(token);
    const broker = openBroker(Object.freeze({ ...config, token: secret }));
    const { token: info } = await broker.whoami();
    const file = updateConfigFile(config.configDir, {
      brokerUrl: config.brokerUrl,
      token,
      tokenFile: undefined,
    });
    cli.print(`Logged in to ${config.brokerUrl} as ${info.name} (${info.role}). Kept in ${file}\n`);
  });
}

/** The token that was given for this login; one that is in the config file already does not count. */
async function newToken(config: Config<(typeof CLIENT_SETTINGS)[number]>): Promise<Secret> {
  const { token, sources } = config;
  const given = [sources.token, sources.tokenFile, sources.tokenFd];
  if (token !== undefined && given.some((from) => from === 'flag' || from === 'environment')) {
    return token;
  }
  const text = process.stdin.isTTY ? await readHidden('Token: ') : await readAll(process.stdin);
  return parseToken(text, 'standard input');
}
