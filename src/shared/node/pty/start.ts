import { closeSync } from 'node:fs';
import { wrapError } from '../../common/index.js';
import {
  canSpawnSession,
  sealInheritedDescriptors,
  setCloseOnExec,
  spawnSession,
} from '../system/index.js';
import { forkPty } from './fork.js';
import { ptyBinding } from './native.js';
import { changeModes, type TerminalModes } from './termios.js';
import type { PtyOptions, StartedPty } from './types.js';

/**
 * Beyond the kernel's defaults, as terminal emulators have it; IUTF8, so that erase in canonical mode removes whole
 * characters.
 */
const MODES: TerminalModes = { BRKINT: 1, IXANY: 1, IMAXBEL: 1, IUTF8: 1 };

/**
 * Starts a program on a new PTY as session and group leader. Main thread only: children are waited for there.
 * @throws {HoldfastError} ERR_SPAWN when the program cannot be started, or the system is out of processes or PTYs.
 */
export async function startPty(options: PtyOptions): Promise<StartedPty> {
  sealInheritedDescriptors();
  try {
    return canSpawnSession ? await spawnPty(options) : forkPty(options);
  } catch (error) {
    throw wrapError(error, 'ERR_SPAWN', `start ${options.file} on a terminal`);
  }
}

/** By posix_spawn, for its cost (ADR 35). node-pty only opens the terminal. */
async function spawnPty(options: PtyOptions): Promise<StartedPty> {
  const { file, args, env, cwd, ttyVariable } = options;
  let opened: OpenPty | undefined;
  try {
    const started = await spawnSession(() => {
      opened = openPty(options);
      const { slavePath } = opened;
      return {
        ...{ file, args, cwd },
        env: ttyVariable === undefined ? env : { ...env, [ttyVariable]: slavePath },
        stdio: slavePath,
      };
    });
    const { master, slavePath } = opened as unknown as OpenPty;
    return { ...started, masterFd: master, slavePath };
  } catch (error) {
    if (opened !== undefined) closeSync(opened.master);
    throw error;
  } finally {
    // Not before the child has its own: without any, the master reads the end.
    if (opened !== undefined) closeSync(opened.slave);
  }
}

interface OpenPty {
  readonly master: number;
  readonly slave: number;
  readonly slavePath: string;
}

/** Both ends are the caller's. */
function openPty({ size, prepare }: PtyOptions): OpenPty {
  const { master, slave, pty: slavePath } = ptyBinding().open(size.cols, size.rows);
  try {
    setCloseOnExec(master);
    setCloseOnExec(slave);
    changeModes(slave, MODES);
    prepare?.(slavePath);
    return { master, slave, slavePath };
  } catch (error) {
    closeSync(master);
    closeSync(slave);
    throw error;
  }
}
