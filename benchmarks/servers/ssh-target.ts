import path from 'node:path';

/** An SSH server on loopback and who may come in, for OpenSSH's programs and for the library. */
export interface SshTarget {
  readonly port: number;
  readonly user: string;
  readonly keyFile: string;
  /** Options of `ssh` and, but for the port, of `scp` and `sftp`: nobody's configuration, one key, no questions. */
  readonly options: readonly string[];
}

export const SSH_HOST = '127.0.0.1';

/** @param scratch where what ssh remembers of hosts goes. */
export function sshTarget(
  scratch: string,
  { port, user, keyFile }: Pick<SshTarget, 'port' | 'user' | 'keyFile'>,
): SshTarget {
  return {
    port,
    user,
    keyFile,
    options: [
      ...['-F', 'none', '-i', keyFile, '-o', `User=${user}`, '-o', `Port=${String(port)}`],
      ...['-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR'],
      ...['-o', 'StrictHostKeyChecking=no'],
      ...['-o', `UserKnownHostsFile=${path.join(scratch, 'known_hosts')}`],
    ],
  };
}
