/** One line on a terminal that says what is going on; nothing where the output is not a terminal. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #shown = false;
  #text = '';

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /** What was last shown, or would have been. */
  get text(): string {
    return this.#text;
  }

  show(text: string): void {
    this.#text = text;
    if (!this.#stream.isTTY) return;
    const line = text.slice(0, Math.max(20, this.#stream.columns - 1));
    this.#stream.write(`\r\u001b[K${line}`);
    this.#shown = true;
  }

  clear(): void {
    if (this.#shown) this.#stream.write('\r\u001b[K');
    this.#shown = false;
  }
}
