/** What a load tells: while it goes on, at its end, and to programs. Main thread. */
export { Progress, type ProgressStream } from './progress.js';
export { resultOf, type LoadResult, type Verdict } from './result.js';
export { formatSummary } from './summary.js';
