import { join } from 'node:path';
import type { Command } from 'commander';
import { HoldfastError } from '../../../shared/common/index.js';
import type { Cli } from '../cli.js';
import { logSettings } from '../log.js';
import { runBroker, untilSignal } from '../services/index.js';

const SETTINGS = [
  'stateDir',
  'listen',
  'tlsCert',
  'tlsKey',
  'insecureListen',
  'publicUrl',
  'stun',
  'turn',
  'turnSecretFile',
] as const;

/** `holdfast broker` */
export function build(cli: Cli): Command {
  const command = cli.command('broker', 'Runs the broker alone.', SETTINGS, {
    notes: [
      'Agents and clients meet here. The first start writes a token for its operator (role admin) to the\nstate folder and names the file.',
    ],
    examples: [
      ['holdfast broker', 'on this machine alone'],
      ['holdfast broker --listen 0.0.0.0:443 --tls-cert c.pem --tls-key k.pem', 'for everybody'],
      ['holdfast broker --stun stun:stun.example:3478', 'with help through NATs'],
      ['holdfast broker --turn turn:turn.example:3478 --turn-secret-file s', 'with a TURN server'],
    ],
    exits: ['ok', 'failure', 'usage', 'local', 'interrupted'],
  });
  return command.action(async () => {
    const config = cli.config(command, SETTINGS);
    const broker = await runBroker({
      stateDir:
        config.sources.stateDir === 'default' ? join(config.stateDir, 'broker') : config.stateDir,
      listen: config.listen,
      tls: both('--tls-cert', config.tlsCert, '--tls-key', config.tlsKey, (certFile, keyFile) => ({
        certFile,
        keyFile,
      })),
      insecureListen: config.insecureListen,
      publicUrl: config.publicUrl,
      stun: config.stun,
      turn: both(
        '--turn',
        config.turn.length === 0 ? undefined : config.turn,
        '--turn-secret-file',
        config.turnSecretFile,
        (urls, secretFile) => ({ urls, secretFile }),
      ),
      log: logSettings(config, 'info'),
    });
    cli.print(
      `Broker at ${broker.publicUrl}\nAdmin token in ${broker.adminTokenFile}\nLog in with: holdfast login ${broker.publicUrl} --token-file ${broker.adminTokenFile}\n`,
    );
    cli.exitStatus = await untilSignal(broker);
  });
}

/** What is made of two settings that only mean something together. */
function both<A, B, T>(
  nameA: string,
  a: A | undefined,
  nameB: string,
  b: B | undefined,
  make: (a: A, b: B) => T,
): T | undefined {
  if (a === undefined && b === undefined) return undefined;
  if (a !== undefined && b !== undefined) return make(a, b);
  const [given, missing] = a === undefined ? [nameB, nameA] : [nameA, nameB];
  throw new HoldfastError('ERR_INVALID_ARGUMENT', `${given} also needs ${missing}`);
}
