/**
 * The log of a process; the only importer of winston. Main threads only: workers send their records
 * over a port to main, which hands them to {@link ProcessLog.write}.
 */
export { openProcessLog, type ProcessLog, type ProcessLogOptions } from './process-log.js';
