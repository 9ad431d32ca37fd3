import type { Cli } from './cli.js';
import type { Command } from 'commander';

/** What the file of a command exports. */
export interface CommandModule {
  /** The command with its options, help and action. */
  build(cli: Cli): Command;
}

/** One command, known by name before its code is loaded. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** Commands under the heading that `holdfast --help` shows. */
export const CATALOGUE: readonly {
  readonly heading: string;
  readonly commands: readonly CommandEntry[];
}[] = [
  {
    heading: 'Start here',
    commands: [
      {
        name: 'up',
        summary: 'run broker, agent and web page on this machine',
        load: () => import('./commands/up.js'),
      },
      {
        name: 'login',
        summary: 'remember a broker and a token',
        load: () => import('./commands/login.js'),
      },
    ],
  },
  {
    heading: 'Use a workspace',
    commands: [
      {
        name: 'ssh',
        summary: 'open a shell, or run a command',
        load: () => import('./commands/ssh.js'),
      },
      {
        name: 'attach',
        summary: 'join a terminal that outlives the connection',
        load: () => import('./commands/attach.js'),
      },
      {
        name: 'terminals',
        summary: 'list the terminals of a workspace',
        load: () => import('./commands/terminals.js'),
      },
      {
        name: 'share',
        summary: 'let others into a terminal by a link; list and revoke links',
        load: () => import('./commands/share.js'),
      },
      {
        name: 'wait',
        summary: 'wait for the next command in a terminal to end',
        load: () => import('./commands/wait.js'),
      },
      { name: 'kill', summary: 'end a terminal', load: () => import('./commands/kill.js') },
      {
        name: 'record',
        summary: 'record a terminal',
        load: () => import('./commands/record.js'),
      },
      {
        name: 'recordings',
        summary: 'list, fetch, stop and delete recordings',
        load: () => import('./commands/recordings.js'),
      },
      {
        name: 'play',
        summary: 'play a recording in this terminal',
        load: () => import('./commands/play.js'),
      },
      {
        name: 'kick',
        summary: 'end the viewing of somebody at a terminal',
        load: () => import('./commands/kick.js'),
      },
      {
        name: 'forward',
        summary: 'forward ports to or from a workspace',
        load: () => import('./commands/forward.js'),
      },
      {
        name: 'ping',
        summary: 'measure the way to a workspace',
        load: () => import('./commands/ping.js'),
      },
      {
        name: 'config-ssh',
        summary: 'let plain ssh, scp, sftp and rsync reach your workspaces',
        load: () => import('./commands/config-ssh.js'),
      },
      {
        name: 'shell-integration',
        summary: 'have shells say where their commands begin and end',
        load: () => import('./commands/shell-integration.js'),
      },
    ],
  },
  {
    heading: 'Serve',
    commands: [
      {
        name: 'broker',
        summary: 'run the broker alone',
        load: () => import('./commands/broker.js'),
      },
      {
        name: 'agent',
        summary: 'run the agent inside a workspace',
        load: () => import('./commands/agent.js'),
      },
      {
        name: 'workspace',
        summary: 'add, list and remove workspaces',
        load: () => import('./commands/workspace.js'),
      },
      {
        name: 'token',
        summary: 'create, list and revoke tokens',
        load: () => import('./commands/token.js'),
      },
    ],
  },
  {
    heading: 'Called by other programs',
    commands: [
      {
        name: 'proxy',
        summary: 'standard input and output as an SSH connection (ProxyCommand)',
        load: () => import('./commands/proxy.js'),
      },
      {
        name: 'known-hosts',
        summary: 'print the host key of a workspace (KnownHostsCommand)',
        load: () => import('./commands/known-hosts.js'),
      },
      {
        name: 'gitssh',
        summary: "ssh with the workspace's Git key (GIT_SSH_COMMAND)",
        load: () => import('./commands/gitssh.js'),
      },
      {
        name: 'sftp-server',
        summary: 'an SFTP server on standard input and output',
        load: () => import('./commands/sftp-server.js'),
      },
    ],
  },
  {
    heading: 'Other',
    commands: [
      {
        name: 'version',
        summary: 'print the version',
        load: () => import('./commands/version.js'),
      },
    ],
  },
];

/** All commands in one list. */
export const COMMANDS: readonly CommandEntry[] = CATALOGUE.flatMap(({ commands }) => commands);
