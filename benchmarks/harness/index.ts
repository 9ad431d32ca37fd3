/**
 * What all benchmarks share: runs in alternating order, statistics and goals, processes of their own and what
 * they cost, the machine, tables. Runs in the process that `npm run bench` starts.
 */
export { betterOf, compare, figureTitle, type Comparison } from './compare.js';
export { flowFigures, withCosts, type Costs, type Flow, type Sides } from './costs.js';
export { goalsMarkdown, goalsOf, lossesOf, type GoalFinding, type Loss } from './findings.js';
export { formatGoal, formatVerdict, judge, type Goal, type Verdict } from './goals.js';
export { describeMachine, stolenTime, type Machine } from './machine.js';
export {
  cpuSeconds,
  holdings,
  processesWith,
  processTree,
  pssBytes,
  treeCpuSeconds,
  treePssBytes,
} from './processes.js';
export { Program, serveProgram, type Methods } from './program.js';
export { Progress } from './progress.js';
export { drawSeed, seededRandom, shuffled } from './random.js';
export { parseReport, type CaseReport, type Report } from './report.js';
export { alternate, type Subject } from './rounds.js';
export { jain, pairRatios, quantile, summarize, type Summary } from './statistics.js';
export { columnsOf, formatCase, formatNumber, formatSummary, rowsByGroup } from './table.js';
export { findTool, missingTools, packageVersion, toolVersions, type ToolName } from './tools.js';
export {
  atScale,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Figure,
  type Ratio,
  type Row,
  type Scale,
} from './types.js';
export { compileC, type Compiled } from './compile.js';
export {
  CandidateRewriter,
  UdpRelay,
  type LinkEnd,
  type LinkFigures,
  type Path,
  type RelayLink,
} from './udp-relay/index.js';
export { ENGINES, missingEngine, type Engine } from './engines.js';
export { SignalProxy } from './signal-proxy.js';
export { wallNow } from './wall-clock.js';
