import { closeSync } from 'node:fs';
import { deferred, type Clock } from '../../../shared/common/index.js';
import type { ExitStatus } from '../../../shared/common/wire/index.js';
import { sendBreak, startPty, type StartedPty } from '../../../shared/node/pty/index.js';
import { duplicateFd } from '../../../shared/node/system/index.js';
import { endGroup } from '../process/index.js';
import { endSession, signalForeground, signalKnown, signalSession } from './session-signal.js';
import type { PtyCommand } from './types.js';

/**
 * What runs in a terminal, and the descriptors of its PTY that main has: the master, and those that workers use.
 * Signals reach nobody before the start and after the end.
 */
export class TerminalProcess {
  /** Never rejects; never resolves if nothing was started. */
  readonly exited: Promise<ExitStatus>;
  readonly #clock: Clock;
  readonly #exited = deferred<ExitStatus>();
  readonly #fds = new Set<number>();
  #pty: StartedPty | undefined;
  #exit: ExitStatus | undefined;
  #started: Promise<unknown> = Promise.resolve();
  #sweep: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.exited = this.#exited.promise;
  }

  /** Absent while it runs. */
  get exit(): ExitStatus | undefined {
    return this.#exit;
  }
  /** Absent before the start. */
  get pty(): StartedPty | undefined {
    return this.#pty;
  }

  /** Once. `onExit` is called in a later turn. @throws {HoldfastError} ERR_SPAWN. */
  async start(command: PtyCommand, onExit: (exit: ExitStatus) => void): Promise<void> {
    const starting = startPty(command);
    this.#started = starting.catch(() => undefined);
    const pty = await starting;
    this.#pty = pty;
    this.#fds.add(pty.masterFd);
    void pty.exited.then((exit) => {
      this.#exit = exit;
      this.#exited.resolve(exit);
      onExit(exit);
    });
  }

  /** Resolves once a start that is under way has come to something. */
  async settled(): Promise<void> {
    await this.#started;
  }

  /** A descriptor of the PTY, which {@link closeFd} and {@link closeFds} close. @throws {HoldfastError} ERR_SPAWN. */
  openFd(pty: StartedPty): number {
    const fd = duplicateFd(pty.masterFd);
    this.#fds.add(fd);
    return fd;
  }

  /** Does nothing if it is closed already. */
  closeFd(fd: number): void {
    if (this.#fds.delete(fd)) closeSync(fd);
  }

  /** The master too, which hangs up. */
  closeFds(): void {
    for (const fd of this.#fds) this.closeFd(fd);
  }

  /** To the foreground job. */
  signal(signal: NodeJS.Signals): void {
    if (this.#running !== undefined) signalForeground(this.#running.pid, signal);
  }

  /** To every process of its session, jobs in the background too. */
  signalAll(signal: NodeJS.Signals): void {
    if (this.#running !== undefined) signalSession(this.#running.pid, signal);
  }

  /** A break on its line. False: it does not run, or has no such thing. */
  sendBreak(): boolean {
    return this.#running !== undefined && sendBreak(this.#running.masterFd);
  }

  /** Hangs up the processes, the shell harder in steps; resolves when that has ended. */
  async hangUp(): Promise<void> {
    if (this.#running === undefined) return;
    await endGroup(this.#running.pid, this.exited, signalKnown, this.#clock);
  }

  /** Ends what ignores a hang-up too. */
  async sweep(): Promise<void> {
    if (this.#running !== undefined) this.#sweep ??= endSession(this.#running.pid, this.#clock);
    await this.#sweep;
  }

  get #running(): StartedPty | undefined {
    return this.#exit === undefined ? this.#pty : undefined;
  }
}
