import { constants } from 'node:os';
import { MessageChannel } from 'node:worker_threads';
import { HoldfastError, limits, toErrorRecord, type Logger } from '../../../shared/common/index.js';
import type { TerminalSize } from '../../../shared/common/wire/index.js';
import { setTerminalModes, type TerminalModes } from '../../../shared/node/pty/index.js';
import { DEFAULT_PORT_CREDIT, PortChannel } from '../../../shared/node/ports/index.js';
import type { VerifiedPeer } from '../peers/types.js';
import type { CommandRequest, PreparedCommand, SshConnectionInfo } from '../process/index.js';
import type { AgentForward } from './agent-forward.js';
import type { SshChannel } from './channel.js';
import { currentMotd } from './login-texts.js';
import { checkTerm, clampSize } from './pty-request.js';
import { runExec } from './run-exec.js';
import { runPty } from './run-pty.js';
import { FAILED_STATUS } from './replies.js';
import { runTerminal } from './run-terminal.js';
import { RequestQueue } from './request-queue.js';
import type { Running } from './running.js';
import { terminalOfUser } from './terminal-user.js';
import type { SshServerOptions } from './types.js';
import { SessionX11, type OpenX11Channel } from './session-x11.js';

/** What ssh2 parsed out of a CHANNEL_REQUEST; which type it has follows from the request's. */
export type RequestData = unknown;

export interface SessionOptions {
  readonly server: SshServerOptions;
  readonly logger: Logger;
  readonly peer: VerifiedPeer;
  /** The SSH user name that the client authenticated with. */
  readonly user: () => string;
  readonly ssh: SshConnectionInfo;
  /** Makes the socket of a forwarded ssh-agent; called at most once. */
  readonly openAgentForward: () => Promise<AgentForward>;
  /** Opens a channel to the client's display. */
  readonly openX11Channel: OpenX11Channel;
}

/** One request on the channel; `modes` come with `pty-req`. */
export interface SessionRequest {
  readonly type: string;
  readonly data: RequestData;
  readonly modes: TerminalModes | undefined;
}

interface PtyRequest {
  readonly term: string;
  readonly modes: TerminalModes;
  size: TerminalSize;
}

/**
 * One session channel: collects environment and terminal, then runs one shell, command or subsystem.
 * Whatever goes wrong ends it with a line on stderr that names the code, and status 229.
 */
export class SshSession {
  readonly channel: SshChannel;
  readonly #options: SessionOptions;
  readonly #env = new Map<string, string>();
  #envBytes = 0;
  #pty: PtyRequest | undefined;
  #wantsAgent = false;
  #agent: AgentForward | undefined;
  readonly #x11: SessionX11;
  readonly #requests = new RequestQueue();
  #started = false;
  #running: Running | undefined;
  #run: Promise<void> = Promise.resolve();
  readonly #abort = new AbortController();

  constructor(channel: SshChannel, options: SessionOptions) {
    this.channel = channel;
    this.#options = options;
    this.#x11 = new SessionX11(options);
    channel.on('error', () => undefined);
    channel.once('remote-close', () => {
      this.#abort.abort();
    });
  }

  /** Resolves when nothing of it runs any more. Never rejects. */
  get ended(): Promise<void> {
    return this.#run;
  }

  /** Ends what runs. */
  async end(): Promise<void> {
    this.#abort.abort();
    await this.#running?.end();
    await this.#run;
    // Asked for, and then no command was.
    await this.#x11.close();
  }

  /** Takes a request; `answer` is told once it is decided, in order. False: too many are waiting. */
  take(request: SessionRequest, answer: (granted: boolean) => void): boolean {
    return this.#requests.push(() => this.#decide(request), answer);
  }

  #decide({ type, data, modes }: SessionRequest): boolean | Promise<boolean> {
    switch (type) {
      case 'env':
        return this.#setEnv(data as { name: string; value: string });
      case 'pty-req':
        return this.#requestPty(data as { term: string; cols: number; rows: number }, modes ?? {});
      case 'window-change':
        return this.#changeWindow(data as { cols: number; rows: number });
      case 'signal':
        return this.#signal(data as string);
      case 'break':
        // Before the command starts there is nothing that a break could reach.
        return this.#pty !== undefined && (this.#running?.sendBreak() ?? true);
      case 'auth-agent-req@openssh.com':
        if (this.#started || !this.#options.peer.permissions.allows('ssh')) return false;
        this.#wantsAgent = true;
        return true;
      case 'x11-req':
        return !this.#started && !this.#isOver() && this.#x11.request(data);
      case 'shell':
        return this.#start(() => this.#runShell());
      case 'exec':
        return this.#start(() => this.#runCommand({ kind: 'exec', command: data as string }));
      case 'subsystem':
        return this.#startSubsystem(data as string);
      default:
        return false;
    }
  }

  #setEnv({ name, value }: { name: string; value: string }): boolean {
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value);
    if (
      this.#started ||
      !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ||
      value.includes('\0') ||
      this.#env.size >= limits.SSH_ENV_COUNT ||
      this.#envBytes + bytes > limits.SSH_ENV_BYTES
    ) {
      return false;
    }
    this.#envBytes += bytes;
    this.#env.set(name, value);
    return true;
  }

  #requestPty(data: { term: string; cols: number; rows: number }, modes: TerminalModes): boolean {
    if (this.#started || this.#pty !== undefined || !this.#options.peer.permissions.allows('ssh')) {
      return false;
    }
    this.#pty = { term: checkTerm(data.term), modes, size: clampSize(data.rows, data.cols) };
    return true;
  }

  #changeWindow({ cols, rows }: { cols: number; rows: number }): boolean {
    if (this.#pty === undefined) return false;
    this.#pty.size = clampSize(rows, cols);
    this.#running?.resize(this.#pty.size);
    return true;
  }

  #signal(name: string): boolean {
    const signal = `SIG${name}`;
    if (this.#running === undefined || !(signal in constants.signals)) return false;
    this.#running.signal(signal as NodeJS.Signals);
    return true;
  }

  #startSubsystem(name: string): boolean {
    const { serveSftp } = this.#options.server;
    const { logger, peer } = this.#options;
    const { permissions } = peer;
    if (name !== 'sftp' || serveSftp === undefined) return false;
    if (!permissions.allows('sftp') && !permissions.allows('ssh')) return false;
    return this.#begin(async () => {
      const { cwd } = await this.#options.server.prepareCommand({ kind: 'shell' });
      const { signal } = this.#abort;
      // scp and sftp take a missing status for a failure, and the server ends the stream by itself.
      this.channel.exitWith({ kind: 'status', status: 0 });
      await serveSftp(this.channel, { cwd, signal, logger });
      this.channel.finish({ kind: 'status', status: 0 });
    });
  }

  #start(run: () => Promise<void>): boolean {
    return this.#options.peer.permissions.allows('ssh') && this.#begin(run);
  }

  #begin(run: () => Promise<void>): boolean {
    if (this.#started) return false;
    this.#started = true;
    this.#run = run()
      .catch((error: unknown) => {
        this.#fail(error);
      })
      .then(() => Promise.all([this.#agent?.close(), this.#x11.close()]))
      .then(() => undefined);
    return true;
  }

  /** A shell of its own, or, by the user name, the terminal that the client wants to join. */
  async #runShell(): Promise<void> {
    const { server, peer, user } = this.#options;
    const { subject } = peer;
    const pty = this.#pty;
    const id =
      pty && terminalOfUser(user(), { systemUser: server.systemUser?.() ?? undefined, subject });
    if (id === undefined || pty === undefined) {
      await this.#runCommand({ kind: 'shell' });
      return;
    }
    if (peer.permissions.terminalAccess(id) === 'none') {
      throw new HoldfastError('ERR_FORBIDDEN', `the ticket does not allow the terminal ${id}`);
    }
    const running = runTerminal(this.channel, {
      id,
      size: pty.size,
      mayType: peer.permissions.terminalAccess(id) === 'type',
      openChannel: (label) => {
        const { port1, port2 } = new MessageChannel();
        const handle = { port: port2, credit: DEFAULT_PORT_CREDIT };
        server.terminals.attach({ peer, label, protocol: 'terminal', handle });
        return new PortChannel({ port: port1, credit: DEFAULT_PORT_CREDIT });
      },
      signal: (signal) => {
        server.terminals.signal(id, signal);
      },
      sendBreak: () => server.terminals.sendBreak(id),
    });
    this.#running = running;
    if (this.#isOver()) void running.end();
    await running.ended;
  }

  async #runCommand(request: CommandRequest): Promise<void> {
    const { server, ssh } = this.#options;
    const prepared = await server.prepareCommand({
      ...request,
      clientEnv: Object.fromEntries(this.#env),
      term: this.#pty?.term,
      ssh,
    });
    const command = await this.#x11.prepare(await this.#withAgent(prepared));
    if (this.#pty !== undefined && request.kind === 'shell') {
      const motd = await currentMotd(server.motd, prepared.env['HOME'] ?? '');
      if (motd !== undefined && !this.#isOver()) this.channel.write(motd);
    }
    if (this.#isOver()) return;
    const running =
      this.#pty === undefined
        ? runExec(this.channel, await server.spawnCommand(command))
        : await this.#openPty(command, this.#pty);
    this.#running = running;
    // The client left, or the agent began to close, while the command was being started.
    if (this.#isOver()) void running.end();
    await running.ended;
  }

  #isOver(): boolean {
    return this.channel.gone || this.#abort.signal.aborted;
  }

  async #openPty(command: PreparedCommand, pty: PtyRequest): Promise<Running> {
    const { size, modes } = pty;
    const { server, peer } = this.#options;
    const prepare = (slavePath: string): void => {
      this.#applyModes(slavePath, modes);
    };
    const session = await server.terminals.openSession(
      { ...command, size, ttyVariable: 'SSH_TTY', prepare },
      peer.subject,
    );
    const running = runPty(this.channel, session);
    if (pty.size !== size) running.resize(pty.size);
    return running;
  }

  #applyModes(slavePath: string, modes: TerminalModes): void {
    try {
      setTerminalModes(slavePath, modes);
    } catch (error) {
      // The session works without them; only what the client's own terminal had is not mirrored.
      this.#options.logger.warn('terminal modes could not be applied', { error });
    }
  }

  async #withAgent(command: PreparedCommand): Promise<PreparedCommand> {
    if (!this.#wantsAgent) return command;
    this.#agent = await this.#options.openAgentForward();
    return { ...command, env: { ...command.env, SSH_AUTH_SOCK: this.#agent.path } };
  }

  #fail(error: unknown): void {
    const { logger } = this.#options;
    if (this.channel.gone) {
      logger.debug('a session ended before its command started', { error });
      return;
    }
    logger.warn('a session failed', { error });
    const { code, message } = toErrorRecord(error);
    const hint = error instanceof HoldfastError ? ` ${error.hint}` : '';
    const lineEnd = this.#pty === undefined ? '\n' : '\r\n';
    this.channel.stderr.write(`holdfast: ${message} (${code}).${hint}${lineEnd}`);
    this.channel.finish({ kind: 'status', status: FAILED_STATUS });
  }
}
