/**
 * Entry of a recording worker: what piscina loads on the thread that writes recordings, so that encoding
 * and disks cost no terminal its pace. One task is one recording and stays pending until its file is complete.
 */
import { startBeating, type RecordingTask } from '../../shared/node/ports/index.js';
import { Recording } from './recording.js';

startBeating();

/** Writes one recording. */
export default async function serveRecording(task: RecordingTask): Promise<void> {
  await new Recording(task).serve();
}
