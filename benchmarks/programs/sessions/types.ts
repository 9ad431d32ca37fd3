import type { AgentPath } from '../agent-path.js';
import type { SshServerSpec } from '../ssh-clients.js';

/** How a client reaches the shell under measurement. */
export type SessionSpec =
  /** A terminal of an agent. */
  | { readonly kind: 'terminal'; readonly path: AgentPath }
  /** The `ssh` program with a PTY. */
  | { readonly kind: 'ssh-program'; readonly args: readonly string[] }
  /** The SSH library, against an agent over its local socket or a server over TCP. */
  | SshServerSpec
  /** A dtach master on its own protocol. */
  | { readonly kind: 'dtach'; readonly socket: string }
  /** An abduco server on its own protocol. */
  | { readonly kind: 'abduco'; readonly socket: string }
  /** A shell, or a client that needs a terminal, on a PTY of this very process: what the kernel and Node allow. */
  | {
      readonly kind: 'pty-program';
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    }
  /** tmux in control mode. */
  | { readonly kind: 'tmux-control'; readonly args: readonly string[] };

/** A shell in a PTY, wherever it is. */
export interface Session {
  write(text: string): void;
  /** Ends it and what runs in it. */
  close(): Promise<void>;
}

export interface SessionHandlers {
  /** `bytes` are only valid during the call. */
  data(bytes: Uint8Array): void;
  /** Bytes that the server says it left out. */
  lost(bytes: number): void;
  /** It ended by itself. */
  end(reason: string): void;
}
