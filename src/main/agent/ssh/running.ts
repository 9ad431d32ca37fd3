import type { TerminalSize } from '../../../shared/common/wire/index.js';

/** What a session runs, whatever kind it is. Calls after the end do nothing. */
export interface Running {
  resize(size: TerminalSize): void;
  signal(signal: NodeJS.Signals): void;
  /** A break on the line of its terminal (RFC 4335). False: there is none, or it has no such thing. */
  sendBreak(): boolean;
  /** Ends the command and all of its process group; resolves when it is gone. */
  end(): Promise<void>;
  /** Resolves when the command has ended and its output was handed over. Never rejects. */
  readonly ended: Promise<void>;
}
