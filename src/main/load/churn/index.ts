/** What comes and goes during a load: visitors, viewers, connections, terminals. Main thread. */
export { Churning, type ChurnOptions } from './churn.js';
export { Repeater, type RepeaterOptions } from './repeater.js';
