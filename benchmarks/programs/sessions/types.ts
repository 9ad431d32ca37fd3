/** How a client reaches the shell under measurement. */
export type SessionSpec =
  /** A PTY of this very process, read by a bare `onread` loop: what the kernel and Node allow. */
  | { readonly kind: 'bare' }
  /** A terminal of an agent, over its local socket. */
  | { readonly kind: 'terminal'; readonly socket: string }
  /** An SSH session of an agent, over its local socket. */
  | { readonly kind: 'agent-ssh'; readonly socket: string; readonly hostKey: string }
  /** The `ssh` program with a PTY. */
  | { readonly kind: 'ssh-program'; readonly args: readonly string[] }
  /** The SSH library against an OpenSSH server. */
  | {
      readonly kind: 'ssh-library';
      readonly port: number;
      readonly keyFile: string;
      readonly user: string;
    }
  /** A dtach master on its own protocol. */
  | { readonly kind: 'dtach'; readonly socket: string }
  /** An abduco server on its own protocol. */
  | { readonly kind: 'abduco'; readonly socket: string }
  /** A client that needs a terminal, on a PTY of this very process. */
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
