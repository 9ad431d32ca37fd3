import type { MessagePort } from 'node:worker_threads';
import { HoldfastError } from '../../src/shared/common/index.js';
import type { TerminalTask } from '../../src/shared/node/ports/index.js';
import type { TaskPool } from '../../src/main/agent/worker-pool/index.js';
import { Terminal } from '../../src/workers/terminal/terminal.js';

/**
 * The baseline that shows what the worker threads buy: the very same reader, ring, pump and viewers, on
 * the thread that serves SSH.
 */
export class MainThreadPool implements TaskPool {
  readonly degraded = false;
  readonly #ports = new Set<MessagePort>();
  readonly #running = new Set<Promise<void>>();
  #closed = false;

  start(): void {
    // There is nothing to start.
  }

  requireHealthy(): void {
    // It lives as long as the process.
  }

  async run(task: unknown): Promise<void> {
    if (this.#closed) throw new HoldfastError('ERR_CLOSED', 'the agent is closing');
    const { port } = task as TerminalTask;
    this.#ports.add(port);
    const running = new Terminal(task as TerminalTask).serve();
    this.#running.add(running);
    await running;
    this.#ports.delete(port);
    this.#running.delete(running);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const port of this.#ports) port.close();
    await Promise.all(this.#running);
  }
}
