import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { join } from 'node:path';
import {
  HoldfastError,
  once,
  wrapError,
  type Closable,
  type Logger,
} from '../../../shared/common/index.js';
import type { PrepareCommand } from './prepare.js';
import type { ProcessRegistry, SpawnedProcess } from './spawn.js';
import type { CommandContext } from './types.js';

export interface StartupScriptOptions {
  readonly logger: Logger;
  /** 0700 folder of the agent; the log is `startup-script.log` in it. */
  readonly stateDir: string;
  readonly prepareCommand: PrepareCommand;
  readonly registry: ProcessRegistry;
}

/** Name of the log in the state folder. */
export const STARTUP_LOG = 'startup-script.log';

/**
 * Runs the owner's startup script once per process, beside serving. A failure is only logged: a broken
 * script must not lock its owner out of the workspace where it can be mended.
 */
export class StartupScript implements Closable {
  readonly #options: StartupScriptOptions;
  #used = false;
  #closing = false;
  #running: Promise<void> = Promise.resolve();
  #process: SpawnedProcess | undefined;

  constructor(options: StartupScriptOptions) {
    this.#options = options;
  }

  /**
   * Starts the script of `context` unless one ran before; an empty one uses up the once as well, as the
   * original had it. Absent in the metadata: nothing, and the once is kept. Never throws.
   */
  start(context: CommandContext): void {
    const script = context.metadata.startup_script;
    if (script === undefined || this.#used || this.#closing) return;
    this.#used = true;
    if (script.trim() === '') return;
    this.#running = this.#run(script, context).catch((error: unknown) => {
      if (!this.#closing) this.#options.logger.warn('startup script failed to start', { error });
    });
  }

  /** Resolves when the script, if one was started, has ended. */
  get ended(): Promise<void> {
    return this.#running;
  }

  readonly close = once(async () => {
    this.#closing = true;
    await this.#process?.end();
    await this.#running;
  });

  async #run(script: string, context: CommandContext): Promise<void> {
    const { logger, stateDir, prepareCommand, registry } = this.#options;
    const command = await prepareCommand({ kind: 'exec', command: script }, context);
    if (this.#isClosing()) return;
    const log = openLog(join(stateDir, STARTUP_LOG));
    try {
      this.#process = await registry.spawnProcess(command, { stdio: ['ignore', log, log] });
    } finally {
      closeSync(log);
    }
    if (this.#isClosing()) await this.#process.end();
    const exit = await this.#process.exited;
    if (exit.kind === 'status' && exit.status === 0) logger.info('startup script ended');
    else if (!this.#isClosing()) logger.warn('startup script failed', { exit });
  }

  /** A call, since the compiler takes a field for unchanged across an `await`. */
  #isClosing(): boolean {
    return this.#closing;
  }
}

/**
 * Opens the log for writing from its start. A link, FIFO or device that somebody put there is refused
 * rather than followed or waited for; a file of somebody else likewise.
 * @throws {HoldfastError} ERR_STATE_DIR.
 */
function openLog(path: string): number {
  const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_APPEND } = constants;
  let fd: number;
  try {
    fd = openSync(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_APPEND, 0o600);
  } catch (error) {
    throw wrapError(error, 'ERR_STATE_DIR', `open ${path}`);
  }
  try {
    const stat = fstatSync(fd);
    // A second hard link is somebody else's name for the file, and would get what is written here.
    if (!stat.isFile() || stat.nlink !== 1 || stat.uid !== process.geteuid?.()) {
      throw new HoldfastError('ERR_STATE_DIR', `${path} is not a file of this agent alone`);
    }
    fchmodSync(fd, 0o600);
    ftruncateSync(fd, 0);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
