/**
 * Entry of a terminal worker: what piscina loads on each thread. One task is one terminal and stays
 * pending as long as it is served here.
 */
import { threadId } from 'node:worker_threads';
import { HoldfastError } from '../../shared/common/index.js';
import {
  TERMINAL_PORT_VERSION,
  TerminalStatus,
  type TerminalTask,
} from '../../shared/node/ports/index.js';
import { Terminal } from './terminal.js';
import { workerSetup } from './worker-setup.js';

startBeating();

/** Serves one terminal. @throws {HoldfastError} ERR_INTERNAL when main runs another build. */
export default async function serveTerminal(task: TerminalTask): Promise<void> {
  if (task.version !== TERMINAL_PORT_VERSION) {
    throw new HoldfastError(
      'ERR_INTERNAL',
      `main speaks terminal port ${String(task.version)}, this worker ${String(TERMINAL_PORT_VERSION)}`,
    );
  }
  if (new TerminalStatus(task.status).generation !== task.generation) {
    task.port.close();
    return;
  }
  await new Terminal(task).serve();
}

/** Shows main that this thread's loop still turns; no message, so a busy main costs nothing. */
function startBeating(): void {
  const setup = workerSetup();
  if (setup === undefined) return;
  const beats = new Int32Array(setup.beats);
  setInterval(() => {
    Atomics.add(beats, threadId % beats.length, 1);
  }, setup.beatMs / 3).unref();
}
