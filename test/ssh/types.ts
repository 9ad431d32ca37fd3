/** What the clients, the checks and the tools of the suite of real SSH clients are made of. */

/** How a client reaches the agent: by its own port, or by WebRTC as `holdfast up` sets it up. */
export type Way = 'direct' | 'webrtc';

/** An agent that clients connect to. */
export interface Place {
  readonly way: Way;
  /** A TCP port on loopback; by WebRTC one of the suite's own with `holdfast proxy` behind it. */
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly user: string;
  /** Private key in OpenSSH's form; its public half is beside it as `.pub`. Absent: no key is asked for. */
  readonly keyFile: string | undefined;
  /** `ssh-ed25519 AAAA...` */
  readonly hostKey: string;
  /** A known_hosts file with that key for `[host]:port`. */
  readonly knownHosts: string;
  /** For `ssh -F`, with `alias` as the host. */
  readonly sshConfig: string;
  readonly alias: string;
  /** Home of the clients, in which they may write. */
  readonly home: string;
}

/** A command line of a client. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export interface WindowSize {
  readonly rows: number;
  readonly cols: number;
}

/** Absolute paths; those named remote are the agent's. All on this machine. */
export interface SftpJob {
  readonly putFrom: string;
  readonly putTo: string;
  readonly getFrom: string;
  readonly getTo: string;
  /** A folder of the agent, whose names are to be printed. */
  readonly list: string;
}

export type CheckName = 'exec' | 'shell' | 'bulk' | 'status' | 'local' | 'remote' | 'sftp';

/** One SSH client: the command lines that make it do what the checks need. Absent ones are in `lacks`. */
export interface Client {
  readonly name: string;
  /** Debian packages that it is in. */
  readonly packages: readonly string[];
  /** What of it is not installed; empty: it can run. */
  missing(): Promise<readonly string[]>;
  /** Name and version of what runs. */
  version(): Promise<string>;
  /** Compiles, converts keys. Called once for each place before anything else. */
  prepare?(place: Place): Promise<void>;
  /** Runs a command without a terminal: its streams are the program's. */
  exec?(place: Place, command: string): Command;
  /** A shell on a terminal of that size; the program's own standard streams are pipes. */
  shell?(place: Place, size: WindowSize): Command;
  /** Listens on loopback here and connects from there, until it is killed. */
  local?(place: Place, listen: number, target: number): Command;
  /** The other way round. */
  remote?(place: Place, listen: number, target: number): Command;
  sftp?(place: Place, job: SftpJob): Command;
  /** Copies for clients that cannot run commands. */
  upload?(place: Place, from: string, to: string): Command;
  download?(place: Place, from: string, to: string): Command;
  /** Why a check does not apply to it. */
  readonly lacks?: Partial<Readonly<Record<CheckName, string>>>;
}

/** What a check may use. */
export interface CheckContext {
  readonly place: Place;
  /** Bytes each way of the check `bulk`. */
  readonly bulkBytes: number;
  /** A scratch folder for this one run. */
  readonly folder: string;
}

export interface Check {
  readonly name: CheckName;
  /** For the head of the table. */
  readonly title: string;
  /** False: the client has no such function, and must say why in `lacks`. */
  applies(client: Client): boolean;
  /** Rejects with what is wrong. */
  run(client: Client, context: CheckContext): Promise<void>;
}

export interface ToolContext {
  readonly place: Place;
  readonly folder: string;
  /** An agent with a port of its own, for tools that go on from the first. */
  readonly beyond: Place;
  /** Bytes each way of the tar pipes. */
  readonly tarBytes: number;
}

/** A tool on top of SSH, or one of OpenSSH's rarer ways. */
export interface Tool {
  readonly name: string;
  readonly packages: readonly string[];
  /** Programs without which it cannot run. */
  readonly needs: readonly string[];
  /** Where it cannot run at all. */
  readonly only?: Way;
  /** A few words for the table. Rejects with what is wrong. */
  run(context: ToolContext): Promise<string>;
}

/** One cell of the table. */
export type Cell =
  | { readonly type: 'ok'; readonly note: string; readonly ms: number }
  | { readonly type: 'red'; readonly reason: string; readonly ms: number }
  /** Written down beforehand: the client cannot. */
  | { readonly type: 'lacks'; readonly reason: string }
  | { readonly type: 'missing'; readonly reason: string };
