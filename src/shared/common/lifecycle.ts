/** Something that was started and must be ended. */
export interface Closable {
  /**
   * Ends it. Idempotent and safe to call at the same time from several places; resolves when
   * everything it started has ended. Never rejects for an end that was already under way.
   */
  close(): Promise<void>;
}

/** Waits take a signal, so that whoever closes can end them at once. */
export interface AbortOptions {
  readonly signal?: AbortSignal;
}

/** Runs `close` at most once and gives every caller the same promise. */
export function once(close: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= close());
}
