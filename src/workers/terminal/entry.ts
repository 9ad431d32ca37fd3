/**
 * Entry of a terminal worker: what piscina loads on each thread. One task is one terminal and stays
 * pending as long as it is served here.
 */
import { HoldfastError } from '../../shared/common/index.js';
import {
  startBeating,
  TERMINAL_PORT_VERSION,
  TerminalStatus,
  type TerminalTask,
} from '../../shared/node/ports/index.js';
import { Terminal } from './terminal.js';

const terminals = new Set<Terminal>();

startBeating();
// Also after an exception that nobody caught.
process.on('exit', () => {
  for (const terminal of terminals) terminal.freeze();
});

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
  const terminal = new Terminal(task);
  terminals.add(terminal);
  try {
    await terminal.serve();
  } finally {
    terminals.delete(terminal);
  }
}
