import { join } from 'node:path';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { logSettings } from '../log.js';
import { runAgent, untilSignal } from '../services/index.js';
import { requireLogin } from '../workspace-link.js';

const SETTINGS = [
  'brokerUrl',
  'token',
  'tokenFile',
  'tokenFd',
  'stateDir',
  'shell',
  'directory',
  'ringBytes',
  'terminalIdle',
  'reconnectingPtyIdle',
  'exitedKeep',
  'maxTerminalsPerSubject',
  'recordingQuota',
  'recordingBytes',
  'webrtc',
  'workerBeat',
  'authorizedKeys',
  'sshListen',
  'sshBanner',
  'x11Forwarding',
  'motd',
  'allowForward',
  'gatewayPorts',
  'ephemeralHostKey',
  'metricsListen',
  'faultDoor',
] as const;

/** `holdfast agent` */
export function build(cli: Cli): Command {
  const command = cli.command('agent', 'Runs the agent inside a workspace.', SETTINGS, {
    notes: [
      'Dials out to the broker and keeps dialling; opens no port unless told to. Needs the agent token that\n`holdfast workspace add` printed, in a file only you can read.',
    ],
    examples: [
      ['holdfast agent --broker https://broker.example --token-file agent.token', ''],
      ['holdfast agent --token-fd 3 3< agent.token', 'broker from the config file'],
      ['holdfast agent --terminal-idle 0', 'terminals live until they end'],
      ['holdfast agent --authorized-keys ~/.ssh/authorized_keys', 'ask SSH clients for a key too'],
      [
        'holdfast agent --authorized-keys keys --ssh-listen 192.168.7.2:2222',
        'plain ssh on the local network as well',
      ],
    ],
    exits: ['ok', 'failure', 'usage', 'denied', 'local', 'interrupted'],
  });
  return command.action(async () => {
    const config = cli.config(command, SETTINGS);
    const { brokerUrl, token } = requireLogin(config);
    const agent = await runAgent({
      brokerUrl,
      token,
      stateDir:
        config.sources.stateDir === 'default' ? join(config.stateDir, 'agent') : config.stateDir,
      shell: config.shell,
      directory: config.directory,
      ringBytes: config.ringBytes,
      terminalIdleMs: config.terminalIdle,
      reconnectingPtyIdleMs: config.reconnectingPtyIdle,
      exitedKeepMs: config.exitedKeep,
      maxTerminalsPerSubject: config.maxTerminalsPerSubject,
      recordingQuota: config.recordingQuota,
      recordingBytes: config.recordingBytes,
      webrtc: config.webrtc,
      workerBeatMs: config.workerBeat,
      authorizedKeys: config.authorizedKeys,
      sshListen: config.sshListen,
      sshBanner: config.sshBanner,
      x11Forwarding: config.x11Forwarding,
      motd: config.motd,
      allowForward: config.allowForward,
      gatewayPorts: config.gatewayPorts,
      ephemeralHostKey: config.ephemeralHostKey,
      faultDoor: config.faultDoor,
      metricsListen: config.metricsListen,
      log: logSettings(config, 'info'),
    });
    cli.exitStatus = await untilSignal(agent);
  });
}
