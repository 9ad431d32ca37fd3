import { threadId, workerData } from 'node:worker_threads';

/** `workerData` of every worker that main starts. */
export interface WorkerSetup {
  /** One Int32 per thread, at `threadId` modulo its length; each worker counts its own up. */
  readonly beats: SharedArrayBuffer;
  readonly beatMs: number;
  /** The test door is open. */
  readonly faults: boolean;
}

/** What main gave to all workers of the pool; absent on a thread that no pool started. */
export function workerSetup(): WorkerSetup | undefined {
  return (workerData as WorkerSetup | null) ?? undefined;
}

/**
 * Shows main from here on that this thread's loop turns, the first time at once: it has loaded its code.
 * No message, so a busy main costs nothing.
 */
export function startBeating(): void {
  const setup = workerSetup();
  if (setup === undefined) return;
  const beats = new Int32Array(setup.beats);
  const beat = (): void => {
    Atomics.add(beats, threadId % beats.length, 1);
  };
  beat();
  setInterval(beat, setup.beatMs / 3).unref();
}
