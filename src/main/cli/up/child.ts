import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HoldfastError, isErrorCode, once } from '../../../shared/common/index.js';
import type { FromChild, ToChild } from './messages.js';

/** How a child ended. */
export interface ChildEnd {
  /** Said by the child itself before it ended. Absent: it ended without a word. */
  readonly error: HoldfastError | undefined;
  /** In words, for a message: `status 1`, `SIGKILL`. */
  readonly how: string;
}

/** One child process of `up` with the channel to it. */
export class Child {
  readonly #process: ChildProcess;
  readonly ended: Promise<ChildEnd>;
  #failure: HoldfastError | undefined;

  /**
   * Starts the process and gives it its orders.
   * @param entry File beside this one, without extension.
   */
  constructor(
    entry: 'broker-child' | 'agent-child',
    order: ToChild,
    options: {
      readonly env: NodeJS.ProcessEnv;
      readonly onMessage: (message: FromChild) => void;
    },
  ) {
    this.#process = fork(fileURLToPath(new URL(`./${entry}.js`, import.meta.url)), [], {
      env: options.env,
      // What a child prints belongs on our stderr; stdout is for the screen and scripts.
      stdio: ['ignore', 2, 'inherit', 'ipc'],
      execArgv: [],
    });
    this.#process.on('message', (message: FromChild) => {
      if (message.type === 'failed') {
        const { code, message: text } = message.error;
        this.#failure = new HoldfastError(isErrorCode(code) ? code : 'ERR_INTERNAL', text, {
          hint: message.hint,
        });
        return;
      }
      options.onMessage(message);
    });
    this.ended = new Promise((resolve) => {
      this.#process.on('error', (error) => {
        this.#failure ??= new HoldfastError('ERR_SPAWN', error.message, { cause: error });
        if (this.#process.pid === undefined) resolve({ error: this.#failure, how: 'not started' });
      });
      this.#process.on('exit', (status, signal) => {
        resolve({ error: this.#failure, how: signal ?? `status ${String(status)}` });
      });
    });
    this.#tell(order);
  }

  /** Asks it to end well. Resolves when it has; harder after `patienceMs`. */
  readonly stop = (patienceMs: number): Promise<ChildEnd> => {
    void this.#askOnce();
    const timer = setTimeout(() => {
      this.kill();
    }, patienceMs);
    return this.ended.finally(() => {
      clearTimeout(timer);
    });
  };

  /** Ends it at once. What it has started notices by itself. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  readonly #askOnce = once(() => {
    this.#tell({ type: 'stop' });
    return Promise.resolve();
  });

  #tell(message: ToChild): void {
    // A child that has gone is reported by `exit`, not by a failed send.
    if (this.#process.connected) this.#process.send(message, () => undefined);
  }
}
