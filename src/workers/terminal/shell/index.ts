/**
 * What shells and programs say of themselves in a terminal's output: titles, working directory, where
 * commands begin and end. Terminal workers.
 */
export { EventLog, type ShellEventAt } from './event-log.js';
export { ShellWatch } from './shell-watch.js';
