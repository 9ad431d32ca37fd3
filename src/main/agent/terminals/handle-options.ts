import type { Clock, Logger, TerminalId } from '../../../shared/common/index.js';
import type { Pace, SizePolicy } from '../../../shared/common/wire/index.js';
import type { CommandEnd, PortHandle, ViewerSpec } from '../../../shared/node/ports/index.js';
import type { TaskPool } from '../worker-pool/index.js';

/** What a terminal's handle needs, and whom it tells. */
export interface TerminalHandleOptions {
  readonly id: TerminalId;
  readonly pace: Pace;
  readonly sizePolicy: SizePolicy;
  readonly ringBytes: number;
  /** Whether viewers may come back to it; the terminal of an SSH session has one, from its first byte. */
  readonly replays: boolean;
  readonly growthBudget: SharedArrayBuffer;
  readonly pool: TaskPool;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Viewers came or went. */
  onViewers(count: number): void;
  /**
   * The log is complete. True: it is kept until `forget`, for viewers who want to see it; false: no attach
   * may be routed here any more. Called once more with nothing to keep if it is given up.
   */
  onExited(): boolean;
  /** A command in it has ended, as its shell says. */
  onCommandEnd?(end: CommandEnd): void;
  /** A viewer of a kept log does not want that but a new terminal. */
  onReturned?(spec: ViewerSpec, handle: PortHandle): void;
  /** A worker that served this terminal is gone and another one has it; `offset` is where the log ends. */
  onMoved?(): void;
}
