import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Gives commands to a tmux server over one client in control mode, without a process for each. */
export class TmuxCommander {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: (() => void)[] = [];

  /** @param args The program and what leads to the server. */
  constructor([file = 'tmux', ...rest]: readonly string[]) {
    this.#child = spawn(file, [...rest, '-C', 'attach'], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdin.on('error', () => undefined);
    let isFirst = true;
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (!/^%(end|error) /.test(line)) return;
      // That of the attach itself.
      if (isFirst) isFirst = false;
      else this.#waiting.shift()?.();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when the server has done it. */
  async run(command: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin.write(`${command}\n`);
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
