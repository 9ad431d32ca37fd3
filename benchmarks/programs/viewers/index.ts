/** Viewers that only count, many of them in one process, of Holdfast and of other programs. */
export { CountingConnection } from './counting-connection.js';
export { CountingViewer, type WatchOptions } from './counting-viewer.js';
export { openOthers, type OtherViewers } from './others.js';
