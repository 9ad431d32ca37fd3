/**
 * Entry of a recording worker: what piscina loads on the thread that writes recordings, so that encoding
 * and disks cost no terminal its pace. One task is one recording and stays pending until its file is complete.
 */
import { threadId, workerData } from 'node:worker_threads';
import type { RecordingTask, WorkerSetup } from '../../shared/node/ports/index.js';
import { Recording } from './recording.js';

startBeating();

/** Writes one recording. */
export default async function serveRecording(task: RecordingTask): Promise<void> {
  await new Recording(task).serve();
}

/** Shows main that this thread's loop still turns; no message, so a busy main costs nothing. */
function startBeating(): void {
  const setup = workerData as WorkerSetup | null;
  if (setup === null) return;
  const beats = new Int32Array(setup.beats);
  setInterval(() => {
    Atomics.add(beats, threadId % beats.length, 1);
  }, setup.beatMs / 3).unref();
}
