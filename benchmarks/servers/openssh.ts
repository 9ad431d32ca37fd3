import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findTool } from '../harness/index.js';
import { SSH_HOST, sshTarget, type SshTarget } from './ssh-target.js';
import { makeUserKey } from './user-key.js';
import { findProgram } from '../../test/support/programs.js';

/** An OpenSSH server of our own on loopback, with its own keys and configuration. */
export interface OpenSshServer extends SshTarget {
  readonly pid: number;
  /** For the `ssh` program: a shell with a PTY. */
  readonly clientArgs: readonly string[];
  stop(): Promise<void>;
}

/** Where sshd's unprivileged part is shut in; Debian makes it when the service starts. */
const PRIVSEP_FOLDER = '/run/sshd';
const START_MS = 5_000;
/** Where Debian keeps what is started by sshd only. */
export const SFTP_SERVER = '/usr/lib/openssh/sftp-server';

/** A reason instead of a server: it is not installed, or does not run here. */
export async function startOpenSsh(scratch: string): Promise<OpenSshServer | string> {
  const sshd = findTool('sshd');
  const keygen = findProgram('ssh-keygen');
  if (sshd === undefined || keygen === undefined || findProgram('ssh') === undefined) {
    return 'openssh-server and openssh-client are not installed';
  }
  const folder = path.join(scratch, 'sshd');
  mkdirSync(folder, { mode: 0o700 });
  const file = (name: string): string => path.join(folder, name);
  execFileSync(keygen, ['-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', file('host_key')]);
  const { keyFile, authorized } = makeUserKey(folder);
  writeFileSync(file('authorized_keys'), `${authorized}\n`, { mode: 0o600 });
  const port = await freePort();
  writeFileSync(
    file('config'),
    [
      'ListenAddress 127.0.0.1',
      `Port ${String(port)}`,
      `HostKey ${file('host_key')}`,
      `AuthorizedKeysFile ${file('authorized_keys')}`,
      'PidFile none',
      'UsePAM no',
      'StrictModes no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'PrintMotd no',
      'PrintLastLog no',
      'MaxSessions 200',
      'MaxStartups 200',
      `Subsystem sftp ${SFTP_SERVER}`,
      // Of the benchmarks, as every agent's: the user database names that of whoever runs them.
      `SetEnv HOME=${os.homedir()}`,
      '',
    ].join('\n'),
  );
  const args = ['-D', '-f', file('config'), '-E', file('log')];
  const isRoot = process.getuid?.() === 0;
  const needsFolder = isRoot && !existsSync(PRIVSEP_FOLDER);
  if (needsFolder && findProgram('unshare') === undefined) return `${PRIVSEP_FOLDER} is missing`;
  // A mount namespace of its own gets the folder, so that the machine stays as it is.
  const script = `mount -t tmpfs tmpfs /run && mkdir -m 755 ${PRIVSEP_FOLDER} && exec "$0" "$@"`;
  const child = needsFolder
    ? spawn('unshare', ['-m', 'sh', '-c', script, sshd, ...args], { stdio: 'ignore' })
    : spawn(sshd, args, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => {
      resolve();
    });
    child.once('exit', () => {
      resolve();
    });
  });
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const deadline = performance.now() + START_MS;
  while (!isOver && performance.now() < deadline && !(await answers(port))) await sleep(50);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  if (isOver || !(await answers(port))) {
    await stop();
    const log = existsSync(file('log')) ? readFileSync(file('log'), 'utf8').trim() : '';
    return `sshd does not start: ${log.split('\n').at(-1) ?? ''}`;
  }
  const target = sshTarget(folder, { port, user: os.userInfo().username, keyFile });
  return {
    ...target,
    pid: child.pid ?? 0,
    clientArgs: [...target.options, '-tt', SSH_HOST, 'exec /bin/sh'],
    stop,
  };
}

/** A port of loopback that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  return port;
}

/** Whether somebody listens there. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
