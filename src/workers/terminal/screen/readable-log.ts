/** What is read of the log. */
export interface ReadableLog {
  readonly head: number;
  /** Bytes kept for replay. */
  readonly capacity: number;
  copy(from: number, to: number, target: Uint8Array, at: number): void;
}
