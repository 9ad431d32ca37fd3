import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findTool } from '../harness/index.js';
import { findProgram } from '../../test/support/programs.js';
import { answers, freePort } from './openssh.js';
import { SSH_HOST, sshTarget, type SshTarget } from './ssh-target.js';
import { makeUserKey } from './user-key.js';

/** A dropbear of our own on loopback. */
export interface DropbearServer extends SshTarget {
  readonly pid: number;
  stop(): Promise<void>;
}

const START_MS = 5_000;

/** A reason instead of a server: it is not installed, or cannot run here. */
export async function startDropbear(scratch: string): Promise<DropbearServer | string> {
  const dropbear = findTool('dropbear');
  const keygen = findProgram('dropbearkey');
  if (dropbear === undefined || keygen === undefined) return 'dropbear not installed';
  if (process.getuid?.() !== 0 || findProgram('unshare') === undefined) {
    return 'it takes keys only from a home folder, and only root can lend it one';
  }
  const folder = path.join(scratch, 'dropbear');
  mkdirSync(folder, { mode: 0o700 });
  const file = (name: string): string => path.join(folder, name);
  execFileSync(keygen, ['-t', 'ed25519', '-f', file('host_key')], { stdio: 'ignore' });
  const { keyFile, authorized } = makeUserKey(folder);
  writeFileSync(file('authorized_keys'), `${authorized}\n`, { mode: 0o600 });
  const port = await freePort();
  // A mount namespace of its own gets an empty home, so that the machine stays as it is.
  const { homedir, username } = os.userInfo();
  const script = [
    `mount -t tmpfs -o mode=700 tmpfs "$1"`,
    `mkdir -m 700 "$1/.ssh"`,
    `cp "$2" "$1/.ssh/authorized_keys"`,
    `shift 2`,
    `exec "$@"`,
  ].join(' && ');
  const child = spawn(
    'unshare',
    [
      ...['-m', 'sh', '-c', script, 'sh', homedir, file('authorized_keys')],
      ...[dropbear, '-F', '-E', '-s', '-m', '-r', file('host_key'), '-P', file('pid')],
      ...['-p', `${SSH_HOST}:${String(port)}`],
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => {
      resolve();
    });
    child.once('exit', () => {
      resolve();
    });
  });
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline && !(await answers(port))) await sleep(50);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  if (!(await answers(port))) {
    await stop();
    return 'dropbear does not start';
  }
  return {
    ...sshTarget(folder, { port, user: username, keyFile }),
    pid: child.pid ?? 0,
    stop,
  };
}
