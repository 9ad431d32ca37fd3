import { limits } from '../../shared/common/index.js';
import { readEchoMode, type EchoMode } from '../../shared/node/pty/index.js';

/** A program that echoes by itself has done so by then. */
const ECHO_MS = 1_000;

interface Unshown {
  readonly at: number;
  readonly bytes: Uint8Array;
  /** What of it must show first. Empty: nothing. */
  readonly text: string;
}

export interface ShownInputOptions {
  /** The PTY's master. */
  readonly fd: number;
  /** `bytes` were typed at `at`, and everybody who looks at the terminal saw it. */
  onShown(at: number, bytes: Uint8Array): void;
  /** For tests. Absent: asks the kernel. */
  readonly echoMode?: ((fd: number) => EchoMode) | undefined;
}

/**
 * Of what is typed, that which shows: a recording must not hold what its screen hides. While the kernel
 * echoes, that is everything; while a program reads lines without echo, as for a password, nothing. Editors
 * and shells switch the kernel's echo off, too, and echo by themselves: from them it is only what turns up
 * in the output soon after. Keys that print nothing hide nothing, and always pass.
 */
export class ShownInput {
  readonly #options: ShownInputOptions;
  readonly #unshown: Unshown[] = [];
  #unshownBytes = 0;

  constructor(options: ShownInputOptions) {
    this.#options = options;
  }

  /** Something was typed that has not shown yet. */
  get isWaiting(): boolean {
    return this.#unshown.length > 0;
  }

  typed(at: number, bytes: Uint8Array): void {
    this.#expire(at);
    const mode = (this.#options.echoMode ?? readEchoMode)(this.#options.fd);
    if (mode === 'none') return;
    const text = mode === 'kernel' ? '' : printable(bytes);
    this.#unshown.push({ at, bytes: new Uint8Array(bytes), text });
    this.#unshownBytes += bytes.length;
    while (this.#unshownBytes > limits.RECORDING_UNSHOWN_BYTES) this.#take();
    this.#show();
  }

  /** Output of the terminal, before it is recorded itself. */
  output(at: number, bytes: Uint8Array): void {
    this.#expire(at);
    this.#show(printable(bytes));
  }

  /** Hands out, in the order of typing, what `seen` shows and what there is nothing to see of. */
  #show(seen = ''): void {
    let from = 0;
    for (let next = this.#unshown[0]; next !== undefined; next = this.#unshown[0]) {
      const found = seen.indexOf(next.text, from);
      if (found === -1) return;
      from = found + next.text.length;
      this.#take();
      this.#options.onShown(next.at, next.bytes);
    }
  }

  /** What has not shown by now is hidden; what was typed after it need not wait any more. */
  #expire(now: number): void {
    for (let first = this.#unshown[0]; first !== undefined; first = this.#unshown[0]) {
      if (first.text !== '' && first.at >= now - ECHO_MS) return;
      this.#take();
      if (first.text === '') this.#options.onShown(first.at, first.bytes);
    }
  }

  #take(): void {
    const [first] = this.#unshown.splice(0, 1);
    this.#unshownBytes -= first?.bytes.length ?? 0;
  }
}

/** What of `bytes` shows as text, one character a byte: neither controls nor control sequences. */
function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('latin1')

    .replace(
      /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]/g,
      '',
    )

    .replace(/[\x00-\x1f\x7f]/g, '');
}
