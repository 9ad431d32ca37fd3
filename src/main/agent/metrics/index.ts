/** What an agent measures of itself, and where it can be read. Main thread. */
export { MetricsServer, type AgentFigures, type MetricsOptions } from './metrics.js';
