import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { findTool } from '../harness/index.js';
import type { SessionSpec } from '../programs/sessions/index.js';

/** An abduco server with one session. */
export interface AbducoServer {
  readonly pid: number;
  readonly socket: string;
  readonly attach: SessionSpec;
  stop(): void;
}

/** Starts one that runs `command`; its socket is at the absolute path `socket`. It ends when the command does. */
export async function startAbduco(
  socket: string,
  command: readonly string[] = ['/bin/sh'],
): Promise<AbducoServer> {
  const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color' };
  execFileSync(findTool('abduco') ?? 'abduco', ['-n', socket, ...command], {
    env,
    stdio: 'ignore',
  });
  const pid = await pidOf(socket);
  return {
    pid,
    socket,
    attach: { kind: 'abduco', socket },
    stop: () => {
      try {
        process.kill(pid, 'SIGTERM');
      } catch {
        // It has ended with its command.
      }
    },
  };
}

/** The first packet to whoever connects: type, length, and the server's process id as 64 bits. */
async function pidOf(path: string): Promise<number> {
  const socket = connect(path);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(chunk.readBigUInt64LE(8));
}
