import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Command } from 'commander';
import { HoldfastError, type Closable } from '../../../shared/common/index.js';
import type { Cli } from '../cli.js';
import {
  clientConfigDirOf,
  configFileOf,
  defaultConfigDir,
  defaultStateDir,
  type Config,
} from '../config/index.js';
import { logSettings } from '../log.js';
import { EXIT } from '../output/index.js';
import {
  findOpener,
  openInBrowser,
  readyScreen,
  startUp,
  UP_LOG_LEVEL,
  type Up,
} from '../up/index.js';

const SETTINGS = ['stateDir', 'host', 'port', 'readyFile', 'open', 'webrtc'] as const;

/** `holdfast up` */
export function build(cli: Cli): Command {
  const command = cli.command(
    'up',
    'Runs broker, agent and web page on this machine, and prints how to come in.',
    SETTINGS,
    {
      notes: [
        'Everything it needs lives in the state folder; a second start finds workspace, keys and tokens\nagain. Ctrl-C ends it all, a second Ctrl-C faster. Nothing but loopback is listened on.',
      ],
      examples: [
        ['holdfast up', 'then open the link it prints'],
        ['holdfast up --port 0', 'on any free port'],
        [
          'holdfast up --ready-file r.json --no-open',
          'for scripts: r.json says where, once all works',
        ],
      ],
      exits: ['ok', 'failure', 'usage', 'local', 'internal', 'interrupted'],
    },
  );
  return command.action(async () => {
    const config = cli.config(command, SETTINGS);
    requireLoopback(config.host);
    cli.exitStatus = await supervise(cli, config);
  });
}

/** First signal: end well. Second: end now. */
async function supervise(cli: Cli, config: Config<(typeof SETTINGS)[number]>): Promise<number> {
  let control: (Closable & { kill(): void }) | undefined;
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    // Nothing has been started yet.
    if (control === undefined) process.exit(EXIT.interrupted);
    if (signals > 1) control.kill();
    void control.close();
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  try {
    const up = await startUp(
      {
        stateDir: config.stateDir,
        listen: { host: config.host, port: config.port },
        readyFile: config.readyFile,
        webrtc: config.webrtc,
        log: logSettings(config, UP_LOG_LEVEL),
        env: process.env,
      },
      (started) => {
        control = started;
      },
    );
    announce(cli, config, up);
    await up.ended;
    await up.close();
  } catch (error) {
    // Whatever broke while it was being stopped is part of the stopping.
    if (signals === 0) throw error;
    await control?.close();
  } finally {
    for (const name of names) process.off(name, onSignal);
  }
  return EXIT.ok;
}

function announce(cli: Cli, config: Config<(typeof SETTINGS)[number]>, up: Up): void {
  const { ready, sshConfigFile } = up;
  const foundByDefault =
    clientConfigDirOf(defaultStateDir(cli.env)) === ready.clientConfigDir &&
    !existsSync(configFileOf(defaultConfigDir(cli.env)));
  const program = cli.env['npm_lifecycle_event'] === undefined ? 'holdfast' : 'npx holdfast';
  const { url, workspace, clientConfigDir } = ready;
  cli.print(
    readyScreen(
      { url, workspace, clientConfigDir, sshConfigFile, program, foundByDefault },
      cli.style(process.stdout),
    ),
  );
  if (config.open ?? process.stdout.isTTY) {
    const opener = findOpener(cli.env);
    if (opener !== undefined) openInBrowser(opener, url, process.env);
    else if (config.open === true) {
      process.stderr.write('holdfast: no desktop to open a browser on; follow the link above\n');
    }
  }
}

function requireLoopback(host: string): void {
  if (host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.')))
    return;
  throw new HoldfastError('ERR_INVALID_ARGUMENT', `--host ${host} is no loopback address`, {
    hint: 'For other machines run `holdfast broker --listen` with TLS, and `holdfast agent`.',
  });
}
