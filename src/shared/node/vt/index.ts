/** What agent and clients know of terminal sequences. Pure; any Node thread. */
export { ReplayFilter } from './replay-filter.js';
export { SequenceScanner } from './scanner.js';
export { isQuery, stripQueries } from './strip-queries.js';
