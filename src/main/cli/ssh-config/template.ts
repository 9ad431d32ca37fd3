import { quoteForKnownHostsCommand, quoteForProxyCommand } from './quote.js';

/** Last part of the names that ssh reaches workspaces by: `NAME.holdfast`. */
export const HOST_SUFFIX = '.holdfast';

/** What the written lines depend on. All paths absolute. */
export interface TemplateOptions {
  readonly node: string;
  readonly cli: string;
  readonly configDir: string;
  /**
   * Whether to silence the warning of OpenSSH 10.1 about key exchanges that a quantum computer could
   * break; ssh2 has no other. `ignore-unknown`: for a file of our own, where older versions are told to
   * skip the option. `yes`: this ssh knows it. In a file of the user IgnoreUnknown would displace
   * theirs, since ssh takes only the first.
   */
  readonly warnWeakCrypto: 'ignore-unknown' | 'yes' | 'no';
}

/** The lines of `Host *.holdfast`. They work from any folder and with no variable set. */
export function hostLines({ node, cli, configDir, warnWeakCrypto }: TemplateOptions): string {
  const proxy = [node, cli, 'proxy', '--config-dir', configDir].map(quoteForProxyCommand);
  const knownHosts = [node, cli, 'known-hosts', '--config-dir', configDir].map(
    quoteForKnownHostsCommand,
  );
  const lines = [
    `Host *${HOST_SUFFIX}`,
    // Any other name stands for a terminal: `ssh NAME@local.holdfast`.
    '    User holdfast',
    ...(warnWeakCrypto === 'no' ? [] : ['    WarnWeakCrypto no-pq-kex']),
    // %h rather than %n: a HostName of the user holds, and names of workspaces are lower case.
    `    ProxyCommand ${proxy.join(' ')} '%h'`,
    `    KnownHostsCommand ${knownHosts.join(' ')} "%H"`,
    // With it set, ssh need not run KnownHostsCommand once more to order the algorithms.
    '    HostKeyAlgorithms ssh-ed25519',
    '    StrictHostKeyChecking yes',
    '    UserKnownHostsFile /dev/null',
    '    GlobalKnownHostsFile /dev/null',
    '    CheckHostIP no',
    '    ServerAliveInterval 15',
    '    ServerAliveCountMax 3',
  ];
  return `${lines.join('\n')}\n`;
}

/** The lines between the marks in a file that holds other things too. */
export function blockLines(options: TemplateOptions): string {
  return [
    '# Written by `holdfast config-ssh`, which replaces everything between the two marks.\n',
    hostLines(options),
    // What follows in the file applied to all hosts before, and must go on doing so.
    'Match all\n',
  ].join('');
}

/** A whole file for `ssh -F`. */
export function wholeFile(options: TemplateOptions): string {
  const lines = [
    '# For ssh -F; written by `holdfast config-ssh --print`.\n',
    // Before the first Host: ssh looks at every line, so also on its way to another host (`-J`) it must know
    // what to skip.
    ...(options.warnWeakCrypto === 'ignore-unknown' ? ['IgnoreUnknown WarnWeakCrypto\n'] : []),
    hostLines(options),
  ];
  return lines.join('');
}
