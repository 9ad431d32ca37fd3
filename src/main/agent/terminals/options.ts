import type { Clock, Logger, TerminalId } from '../../../shared/common/index.js';
import type { CreateRequest } from '../../../shared/common/peer-auth/index.js';
import type { TaskPool } from '../worker-pool/index.js';
import type { PtyCommand } from './types.js';

/** What the registry of terminals needs. */
export interface TerminalsOptions {
  /** Worker threads; at least 1, and two so that one flood leaves room. */
  readonly workers: number;
  readonly ringBytes: number;
  readonly maxTerminals: number;
  /** Terminals that one subject may have, PTYs of its SSH sessions among them. */
  readonly maxTerminalsPerSubject: number;
  /** How long an exited terminal can still be looked at, in ms. 0: not at all. */
  readonly exitedKeepMs: number;
  /** With nobody attached, in ms. 0: for ever. */
  readonly idleMs: { readonly terminal: number; readonly reconnectingPty: number };
  readonly beatMs: number;
  /** Opens the test door of the workers. */
  readonly faults: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where terminals are served. Absent: threads of their own. Belongs to the registry from here on. */
  readonly pool?: TaskPool | undefined;
  /**
   * What a new terminal runs: the user's shell unless `launch` names something else.
   * @throws {HoldfastError} ERR_SHELL_NOT_FOUND, ERR_DIRECTORY_NOT_FOUND, ERR_INVALID_ARGUMENT.
   */
  prepareShell(id: TerminalId, launch: LaunchRequest): Promise<Omit<PtyCommand, 'size'>>;
  /** Another worker has a terminal, since the one before died. */
  onMoved?(id: TerminalId): void;
  /** A terminal has ended, its log at `total`. */
  onEnded?(id: TerminalId, total: number): void;
  /** Name of the recording that is being made of a terminal. Absent: none is. */
  recordingOf?(id: TerminalId): string | undefined;
}

/** What a terminal shall run, and where; see `create` of the control channel. */
export type LaunchRequest = Pick<CreateRequest, 'command' | 'directory'>;
