/**
 * What all benchmarks share: runs in alternating order, statistics, processes of their own and what they
 * cost, the machine, tables. Runs in the process that `npm run bench` starts.
 */
export { describeMachine, type Machine } from './machine.js';
export { processTree, pssBytes, treeCpuSeconds, treePssBytes } from './processes.js';
export { Program, serveProgram, type Methods } from './program.js';
export { Progress } from './progress.js';
export { seededRandom, shuffled } from './random.js';
export { formatCase, formatNumber, type Report } from './report.js';
export { alternate, type Subject } from './rounds.js';
export { pairRatios, quantile, summarize, type Summary } from './statistics.js';
export type { BenchCase, CaseContext, CaseResult, Figure, Ratio, Row } from './types.js';
