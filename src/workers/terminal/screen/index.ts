/**
 * What a terminal's screen looks like at a position of its log, kept so cheaply that it is always known:
 * changes of size as events of the log, and a checkpoint from which a replay leads to the exact screen.
 * The only place that runs an emulator. Terminal workers.
 */
export { CheckpointStore, type Checkpoint } from './checkpoint.js';
export { EmulatorPool } from './emulator-pool.js';
export type { LogPoint } from './log-point.js';
export type { ReadableLog } from './readable-log.js';
export { ScreenEmulator, type Snapshot } from './screen-emulator.js';
export { ScreenTracker } from './screen-tracker.js';
export { SizeLog, type SizeChange } from './size-log.js';
export { TerminalScreen } from './terminal-screen.js';
