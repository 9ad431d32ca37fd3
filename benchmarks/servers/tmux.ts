import { execFileSync } from 'node:child_process';
import { findTool } from '../harness/index.js';
import type { SessionSpec } from '../programs/sessions/index.js';

/** A tmux server of its own socket and without anybody's configuration. */
export interface TmuxServer {
  readonly pid: number;
  /** As a person attaches: it is sent redraws of the screen, not what is printed. */
  readonly attach: SessionSpec;
  /** In control mode: it is sent what is printed. */
  readonly control: SessionSpec;
  /** For further clients. */
  readonly args: readonly string[];
  /** Runs a command of tmux. @returns what it prints. */
  run(...args: string[]): string;
  stop(): void;
}

/** Starts one with a session that runs `command`. It ends with its last session. */
export function startTmux(socket: string, command: readonly string[] = ['/bin/sh']): TmuxServer {
  const args = [findTool('tmux') ?? 'tmux', '-S', socket, '-f', '/dev/null'] as const;
  const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', SHELL: '/bin/sh' };
  const run = (...more: string[]): string =>
    execFileSync(args[0], [...args.slice(1), ...more], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  run('new-session', '-d', '-x', '80', '-y', '24', ...command);
  return {
    pid: Number(run('display-message', '-p', '#{pid}')),
    attach: { kind: 'pty-program', args: [...args, 'attach'], env },
    control: { kind: 'tmux-control', args: [...args, '-C', 'attach'] },
    args,
    run,
    stop: () => {
      try {
        run('kill-server');
      } catch {
        // It has ended with its last session.
      }
    },
  };
}
