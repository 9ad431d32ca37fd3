/** What a load counts, times and reads of processes; all of it bounded, however long it goes on. Main thread. */
export { Latencies, type LatencySummary } from './latencies.js';
export {
  EVENTS,
  FAULTS,
  LoadFigures,
  TIMED,
  type Event,
  type Fault,
  type Timed,
} from './load-figures.js';
export { readProcess, type ProcessFacts } from './process-facts.js';
export { ProcessWatch, type ProcessSummary } from './process-watch.js';
export { SelfWatch, type SelfSummary } from './self-watch.js';
export { trendOf, type Point, type Trend } from './trend.js';
