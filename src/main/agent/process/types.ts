import type { Readable, Writable } from 'node:stream';
import type { ExitStatus, Metadata } from '../../../shared/common/wire/index.js';

/** Numeric address and port of both ends, for SSH_CONNECTION and SSH_CLIENT. */
export interface SshConnectionInfo {
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly serverAddress: string;
  readonly serverPort: number;
}

/** What a session asks for. */
export interface CommandRequest {
  /** `shell`: an interactive login shell. `exec`: one command line. `program`: a program with arguments. */
  readonly kind: 'shell' | 'exec' | 'program';
  /** For `exec`; handed to the user's shell. An empty one does nothing and ends with status 0. */
  readonly command?: string | undefined;
  /** For `program`; at least one word, none of which a shell interprets. */
  readonly words?: readonly string[] | undefined;
  /** Where, as in the metadata. Absent: as the metadata say. */
  readonly directory?: string | undefined;
  /** TERM of the client's terminal. Absent: there is no terminal. */
  readonly term?: string | undefined;
  /** What the client sent; only names on the allow-list come through. */
  readonly clientEnv?: Readonly<Record<string, string>> | undefined;
  readonly ssh?: SshConnectionInfo | undefined;
}

/** What holds for every session of this agent at this moment. */
export interface CommandContext {
  readonly metadata: Metadata;
  /** Set by the agent after the metadata, for instance HOLDFAST_GIT_SOCK. Never a credential. */
  readonly agentEnv: Readonly<Record<string, string>>;
}

/** A command that was checked: shell and directory exist. */
export interface PreparedCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** Complete: nothing of the agent's own environment is added to it. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** A running command with pipes. The three streams are owned by whoever spawned it. */
export interface SpawnedCommand {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the process itself has ended; its output may still hold data. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Sends `signal` to the whole process group; does nothing once the process has ended. */
  signal(signal: NodeJS.Signals): void;
  /** Ends the whole group, harder in steps, and closes the pipes. Resolves when the process is gone. */
  end(): Promise<void>;
}
