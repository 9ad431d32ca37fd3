/**
 * Worker threads for long-lived tasks, supervised: the one importer of piscina. Runs on main. Knows
 * nothing of what the tasks do.
 */
export { WorkerPool, type TaskPool, type WorkerPoolOptions } from './worker-pool.js';
export { DeathCount } from './death-count.js';
