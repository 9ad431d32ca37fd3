import type { TerminalSize } from '../../../shared/common/wire/index.js';

/** What a session runs, whatever kind it is. Calls after the end do nothing. */
export interface Running {
  resize(size: TerminalSize): void;
  signal(signal: NodeJS.Signals): void;
  /** Ends the command and all of its process group; resolves when it is gone. */
  end(): Promise<void>;
  /** Resolves when the command has ended and its output was handed over. Never rejects. */
  readonly ended: Promise<void>;
}
