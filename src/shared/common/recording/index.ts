/**
 * Recordings: asciicast v3 written and read, the index beside it, and what plays one. Platform-free, so
 * that the agent's worker, the command line and the page agree on every byte.
 */
export { CastEncoder, type CastHeader } from './cast-encoder.js';
export { CastParser, type CastEvent, type ParsedHeader } from './cast-parser.js';
export { openDownload, type RecordingDownload } from './download.js';
export {
  encodeIndexEntry,
  INDEX_VERSION,
  keyframeBefore,
  parseIndex,
  type IndexEntry,
  type Keyframe,
  type RecordingEnd,
  type RecordingIndex,
} from './recording-index.js';
export { parseSize } from './cast-parser.js';
export { RecordingPlayer, type PlayerOptions, type PlayerScreen } from './player.js';
export {
  channelSource,
  openRecording,
  openRemoteRecording,
  type ByteSource,
  type OpenRecording,
} from './source.js';
export { Utf8Text, type TextPiece } from './utf8-text.js';
export { formatTime } from './time.js';
