/** What a terminal worker knows of terminal sequences. Pure; any thread. */
export { SequenceScanner } from './scanner.js';
export { stripQueries } from './strip-queries.js';
