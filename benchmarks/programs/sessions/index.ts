/** Ways to a shell in a PTY, all with the same face, for the client program. */
import { openAbduco } from './abduco.js';
import { openDtach } from './dtach.js';
import { openPtyProgram } from './pty-program.js';
import { openTmuxControl } from './tmux-control.js';
import { openTerminal } from './holdfast.js';
import { openSshShell } from './ssh-library.js';
import { openSshProgram } from './ssh-program.js';
import type { Session, SessionHandlers, SessionSpec } from './types.js';

export { openTerminalOn } from './holdfast.js';
export type { Session, SessionHandlers, SessionSpec } from './types.js';

export async function openSession(spec: SessionSpec, handlers: SessionHandlers): Promise<Session> {
  switch (spec.kind) {
    case 'terminal':
      return await openTerminal(spec.path, handlers);
    case 'agent-ssh':
    case 'ssh-library':
      return await openSshShell(spec, handlers);
    case 'ssh-program':
      return openSshProgram(spec.args, handlers);
    case 'dtach':
      return await openDtach(spec.socket, handlers);
    case 'abduco':
      return await openAbduco(spec.socket, handlers);
    case 'pty-program':
      return await openPtyProgram(spec.args, spec.env, handlers);
    case 'tmux-control':
      return openTmuxControl(spec.args, handlers);
  }
}
