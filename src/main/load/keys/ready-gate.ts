import { READY } from '../lines/index.js';

/** Passes on what comes behind the mark that a session is ready for keys. */
export class ReadyGate {
  readonly #onReady: () => void;
  readonly #pass: (bytes: Uint8Array) => void;
  #isOpen = false;

  constructor(onReady: () => void, pass: (bytes: Uint8Array) => void) {
    this.#onReady = onReady;
    this.#pass = pass;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  data(bytes: Uint8Array): void {
    if (this.#isOpen) {
      this.#pass(bytes);
      return;
    }
    const mark = bytes.indexOf(READY);
    if (mark === -1) return;
    this.#isOpen = true;
    this.#onReady();
    if (mark + 1 < bytes.length) this.#pass(bytes.subarray(mark + 1));
  }
}
