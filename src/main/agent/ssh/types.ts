import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Closable, Logger } from '../../../shared/common/index.js';
import type { ForwardingOptions } from '../forwarding/index.js';
import type { IncomingChannel } from '../peers/types.js';
import type { CommandRequest, PreparedCommand, SpawnedCommand } from '../process/index.js';
import type { Terminals } from '../terminals/types.js';

/** Serves SFTP on a raw stream until either side ends it. Rejects only when it could not serve. */
export type ServeSftp = (
  stream: Duplex,
  options: {
    readonly cwd: string;
    readonly signal?: AbortSignal | undefined;
    readonly logger: Logger;
  },
) => Promise<void>;

export interface SshServerOptions {
  readonly logger: Logger;
  /** The agent's stable host key, private, in OpenSSH PEM form. */
  readonly hostKey: string;
  readonly terminals: Pick<Terminals, 'openSession' | 'attach' | 'signal' | 'sendBreak'>;
  /** Name of the user that sessions run as. Absent: nobody knows. */
  readonly systemUser?: (() => string | undefined) | undefined;
  /** With metadata and agent environment bound in. */
  readonly prepareCommand: (request: CommandRequest) => Promise<PreparedCommand>;
  readonly spawnCommand: (command: PreparedCommand) => Promise<SpawnedCommand>;
  /** Absent: the subsystem is refused. */
  readonly serveSftp?: ServeSftp | undefined;
  readonly forwarding?: ForwardingOptions | undefined;
  /**
   * Public keys in the form of an authorized_keys line, without options. Absent: a verified peer needs
   * no key. Present: it needs one of these on top.
   */
  readonly authorizedKeys?: readonly string[] | undefined;
  /** File whose text clients are shown before they log in. Absent: none. */
  readonly banner?: string | undefined;
  /** File that a shell with a terminal begins with, unless its user has a `.hushlogin`. Absent: none. */
  readonly motd?: string | undefined;
  /** Whether programs may show on the display of a client that offers it. Absent: not. */
  readonly x11Forwarding?: boolean | undefined;
  /** Absent: looked for on the agent's path and where systems have it. */
  readonly xauth?: string | undefined;
  /** Bytes either way after which new keys are agreed on. Absent: SSH_REKEY_BYTES. */
  readonly rekeyBytes?: number | undefined;
}

/** The SSH server of an agent. It listens nowhere by itself. */
export interface SshServer extends Closable {
  /** Serves one channel; takes over its port. Returns at once and never throws. */
  serve(channel: IncomingChannel): void;
  /**
   * Serves a client that came by TCP, with all rights of the owner, once it has signed with an authorized key.
   * Takes over the socket, which it destroys if there are no authorized keys.
   */
  serveDirect(socket: Socket): void;
  /** How many SSH connections stand now. */
  readonly connections: number;
}
