/** Recordings of terminals: who may make them, where they lie, how they are fetched. Main thread. */
export { createRecordings, type Recordings, type RecordingsOptions } from './recordings.js';
