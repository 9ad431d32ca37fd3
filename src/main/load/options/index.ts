/** The options of `holdfast-load`, from what is typed to a checked plan. Pure; main thread. */
export type { Frequency, TerminalGroup } from './parse.js';
export { connectionOf, makePlan, type Churn, type LoadPlan } from './plan.js';
export { DEFAULTS, PROFILES, type RawOptions } from './profiles.js';
