import { quoteForKnownHostsCommand, quoteForProxyCommand } from './quote.js';

/** Last part of the names that ssh reaches workspaces by: `NAME.holdfast`. */
export const HOST_SUFFIX = '.holdfast';

/** What the written lines depend on. All paths absolute. */
export interface TemplateOptions {
  readonly node: string;
  readonly cli: string;
  readonly configDir: string;
}

/** The lines of `Host *.holdfast`. They work from any folder and with no variable set. */
export function hostLines({ node, cli, configDir }: TemplateOptions): string {
  const proxy = [node, cli, 'proxy', '--config-dir', configDir].map(quoteForProxyCommand);
  const knownHosts = [node, cli, 'known-hosts', '--config-dir', configDir].map(
    quoteForKnownHostsCommand,
  );
  const lines = [
    `Host *${HOST_SUFFIX}`,
    // Any other name stands for a terminal: `ssh NAME@local.holdfast`.
    '    User holdfast',
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
  return `# For ssh -F; written by \`holdfast config-ssh --print\`.\n${hostLines(options)}`;
}
