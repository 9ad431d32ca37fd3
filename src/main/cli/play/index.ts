/** Playing recordings in a person's own terminal. Main thread of `holdfast play`. */
export { openFile } from './open-file.js';
export { playRecording, type PlayOptions } from './play-recording.js';
export { parseTime } from './time.js';
