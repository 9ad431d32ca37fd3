/** Agents for the clients: one with a port of its own, one that only WebRTC leads to. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { tempDir, waitFor } from '../support/index.js';
import { startAgentProgram } from '../support/e2e.js';
import { freePort } from '../support/ssh-harness.js';
import { startUp, type RunningUp } from '../support/up.js';
import { isListening } from './network.js';
import { startTunnel } from './tunnel.js';
import type { Place } from './types.js';

/** Where the suite registers what is to be ended. */
export interface Ending {
  after(hook: () => unknown): void;
}

const HOST = '127.0.0.1';
const USER = 'holdfast';

/** A key pair in a folder: `id`, `id.pub`, and `authorized_keys` with its public half. */
export function makeKey(folder: string): { readonly keyFile: string; readonly authorized: string } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pair = ssh2.utils.generateKeyPairSync('ed25519');
  const keyFile = join(folder, 'id');
  const authorized = join(folder, 'authorized_keys');
  writeFileSync(keyFile, pair.private, { mode: 0o600 });
  writeFileSync(`${keyFile}.pub`, `${pair.public}\n`);
  writeFileSync(authorized, `${pair.public}\n`);
  return { keyFile, authorized };
}

/** A place at a port of loopback. `hostKey` as an agent states it. */
export function placeAt(options: {
  readonly port: number;
  readonly keyFile: string;
  readonly hostKey: string;
}): Place {
  const { port, keyFile, hostKey } = options;
  const home = tempDir();
  const knownHosts = writeKnownHosts(home, port, hostKey);
  const sshConfig = join(home, 'ssh_config');
  writeFileSync(
    sshConfig,
    [
      'Host direct',
      `    HostName ${HOST}`,
      `    Port ${String(port)}`,
      `    User ${USER}`,
      `    IdentityFile ${keyFile}`,
      '    IdentitiesOnly yes',
      `    UserKnownHostsFile ${knownHosts}`,
      '    GlobalKnownHostsFile /dev/null',
      '    StrictHostKeyChecking yes\n',
    ].join('\n'),
  );
  const place = { way: 'direct', host: HOST, port, user: USER } as const;
  return { ...place, keyFile, hostKey, knownHosts, sshConfig, alias: 'direct', home };
}

/** An agent with `--ssh-listen` beside the one of `up`. */
export async function directPlace(ending: Ending, up: RunningUp): Promise<Place> {
  const { keyFile, authorized } = makeKey(join(tempDir(), 'keys'));
  const port = await freePort();
  const workspace = 'direct';
  await startAgentProgram(ending, up, {
    workspace,
    args: ['--authorized-keys', authorized, '--ssh-listen', `${HOST}:${String(port)}`],
  });
  await waitFor(() => isListening(port), { what: 'the port of the agent' });
  return placeAt({ port, keyFile, hostKey: await hostKeyOf(up, workspace) });
}

/** The agent of `up`, by WebRTC. */
export async function webrtcPlace(ending: Ending, up: RunningUp): Promise<Place> {
  const home = tempDir();
  const port = await startTunnel(ending, up);
  const hostKey = await hostKeyOf(up, up.ready.workspace);
  const sshConfig = join(home, 'ssh_config');
  const printed = await up.holdfast(['config-ssh', '--print']);
  writeFileSync(sshConfig, printed.stdout);
  return {
    ...{
      way: 'webrtc',
      host: HOST,
      port,
      user: USER,
      keyFile: undefined,
      hostKey,
      sshConfig,
      home,
    },
    knownHosts: writeKnownHosts(home, port, hostKey),
    alias: `${up.ready.workspace}.holdfast`,
  };
}

/** `holdfast up` for both. */
export function startBroker(ending: Ending): Promise<RunningUp> {
  return startUp({ after: (hook: unknown) => ending.after(hook as () => unknown) });
}

function writeKnownHosts(home: string, port: number, hostKey: string): string {
  const file = join(home, 'known_hosts');
  writeFileSync(file, `[${HOST}]:${String(port)} ${hostKey}\n`);
  return file;
}

async function hostKeyOf(up: RunningUp, workspace: string): Promise<string> {
  const name = `${workspace}.holdfast`;
  const { status, stdout, stderr } = await up.holdfast(['known-hosts', name]);
  const line = stdout.toString().trim();
  if (status !== 0 || !line.startsWith(`${name} `)) throw new Error(stderr);
  return line.slice(name.length + 1);
}
