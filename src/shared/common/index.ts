/**
 * Words that every part of Holdfast shares: errors, ids, limits, lifecycle, time, logging. No `node:`
 * and no DOM, so it runs on any thread and in the page. Wire formats are in `wire/`.
 */
export { assertNever } from './assert-never.js';
export type { ByteChannel, ByteChannelHandlers, ChannelEnd, OwnedBytes } from './byte-channel.js';
export { Backoff, type BackoffOptions } from './backoff.js';
export { sleep, systemClock, type Clock, type Timer } from './clock.js';
export { deferred, type Deferred } from './deferred.js';
export {
  ERROR_CODES,
  fromErrorRecord,
  HoldfastError,
  isErrorCode,
  toErrorRecord,
  wrapError,
  type ErrorCode,
  type ErrorMeaning,
  type ErrorRecord,
  type HoldfastErrorOptions,
} from './errors.js';
export {
  parseEpoch,
  parseTerminalId,
  parseUuid,
  type ConnectionId,
  type Epoch,
  type TerminalId,
  type ViewerId,
} from './ids.js';
export { joinBytes } from './join-bytes.js';
export { once, type AbortOptions, type Closable } from './lifecycle.js';
export {
  createLogger,
  LOG_LEVELS,
  silentLogger,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogRecord,
} from './log.js';
export * as limits from './limits.js';
export { cureEmulator, resizeEmulator } from './emulator-cures/index.js';
export { cutText, shownText, strippedText } from './shown-text.js';
export { WholeCharacters } from './whole-characters.js';
