/** Recordings on the command line: their names, and fetching them into files. Main thread. */
export { DownloadFiles, indexFileOf } from './download-files.js';
export { recordingArgument, recordingOf } from './names.js';
