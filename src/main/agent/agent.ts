import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  deferred,
  HoldfastError,
  once,
  type Closable,
  type TerminalId,
} from '../../shared/common/index.js';
import { parseMetadata, type Metadata } from '../../shared/common/wire/index.js';
import { PACKAGE_VERSION } from '../../shared/node/package-info/index.js';
import {
  generateIdentity,
  loadOrCreateIdentity,
  lockStateDir,
  openStateDir,
  type Identity,
} from '../../shared/node/state/index.js';
import {
  createBrokerDialer,
  startDialLoop,
  type DialedWorkspace,
  type Dialer,
  type DialLoop,
  type DialState,
} from './dial/index.js';
import { IssuerPins } from './issuers/index.js';
import { MetricsServer, type AgentFigures } from './metrics/index.js';
import { resolveAgentOptions, type AgentOptions, type ResolvedAgentOptions } from './options.js';
import { createPeers, type Peers } from './peers/index.js';
import {
  createPrepareCommand,
  currentUser,
  ProcessRegistry,
  reapOrphans,
  sealInheritedDescriptors,
  StartupScript,
  type CommandContext,
  type CommandRequest,
  type PreparedCommand,
} from './process/index.js';
import { createRecordings, type Recordings } from './recordings/index.js';
import { ChannelRouter, createFaultDoor, type ChannelHandler } from './routing/index.js';
import { serveSftp, SftpDoor } from './sftp/index.js';
import { GitAgent } from './ssh/git-agent/index.js';
import { checkBanner, createSshServer, DirectListener, type SshServer } from './ssh/index.js';
import { TerminalRegistry } from './terminals/index.js';

/** A running agent. */
export interface Agent extends Closable {
  /** Resolves when the agent has closed, for whatever reason. */
  readonly closed: Promise<void>;
  /** Its public Ed25519 key in base64url; clients pin it. */
  readonly publicKey: string;
  /** `ssh-ed25519 AAAA...`; SSH clients pin it. */
  readonly sshHostKey: string;
  /** The unix socket for clients of the same user on this machine. */
  readonly localSocket: string;
  /** `connected` once the broker has been reached. */
  readonly dialState: DialState;
  /** Where SSH clients are taken by TCP; 0 if nowhere. */
  readonly sshPort: number;
  /** Where `/metrics` is served; 0 if nowhere. */
  readonly metricsPort: number;
}

/** Names within the state folder. */
const LOCAL_SOCKET = 'agent.sock';
const NATIVE_SOCKET = 'native.sock';
const GIT_SOCKET_DIR = 'git';
const GIT_SOCKET = 'agent.sock';

/** What holds until the first dial has told more: the owner at the local socket can work already. */
const NO_METADATA: Metadata = parseMetadata({});

/**
 * Starts an agent and resolves before it has reached its broker, as the original: it goes on dialling on
 * its own until it is closed.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT, ERR_STATE_DIR, ERR_ALREADY_RUNNING, ERR_CONFIG,
 *   ERR_PORT_IN_USE for metrics and the ssh listener.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const resolved = resolveAgentOptions(options);
  if (resolved.sshBanner !== undefined) await checkBanner(resolved.sshBanner);
  sealInheritedDescriptors();
  await openStateDir(resolved.stateDir);
  const lock = await lockStateDir(resolved.stateDir);
  try {
    const identity = await loadOrCreateIdentity(resolved.stateDir, 'agent-identity');
    const hostKey = resolved.ephemeralHostKey
      ? generateIdentity()
      : await loadOrCreateIdentity(resolved.stateDir, 'ssh-host');
    const pins = new IssuerPins(resolved.stateDir, resolved.logger);
    await pins.load();
    const agent = new RunningAgent(resolved, { identity, hostKey, pins, lock });
    await agent.start();
    return agent;
  } catch (error) {
    await lock.close();
    throw error;
  }
}

interface Parts {
  readonly identity: Identity;
  readonly hostKey: Identity;
  readonly pins: IssuerPins;
  readonly lock: Closable;
}

class RunningAgent implements Agent {
  readonly closed: Promise<void>;
  readonly publicKey: string;
  readonly sshHostKey: string;
  readonly localSocket: string;
  readonly #options: ResolvedAgentOptions;
  readonly #parts: Parts;
  readonly #closed = deferred<void>();
  readonly #processes = new ProcessRegistry();
  readonly #terminals: TerminalRegistry;
  readonly #recordings: Recordings;
  readonly #ssh: SshServer;
  readonly #sshListener: DirectListener | undefined;
  readonly #sftp: SftpDoor;
  readonly #peers: Peers;
  readonly #startup: StartupScript;
  readonly #git: GitAgent;
  readonly #metrics: MetricsServer | undefined;
  readonly #prepare: ReturnType<typeof createPrepareCommand>;
  readonly #gitSocket: string;
  #orphans: Closable | undefined;
  #workspace: DialedWorkspace | undefined;
  #dial: DialLoop | undefined;

  constructor(options: ResolvedAgentOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.closed = this.#closed.promise;
    this.publicKey = parts.identity.publicKey;
    this.sshHostKey = parts.hostKey.sshPublicKey;
    this.localSocket = join(options.stateDir, LOCAL_SOCKET);
    this.#gitSocket = join(options.stateDir, GIT_SOCKET_DIR, GIT_SOCKET);
    const { logger, clock } = options;
    this.#prepare = createPrepareCommand({
      gitSshCommand: options.gitSshCommand,
      user: () => this.#user(),
    });
    this.#startup = new StartupScript({
      logger,
      stateDir: options.stateDir,
      prepareCommand: this.#prepare,
      registry: this.#processes,
    });
    this.#git = new GitAgent({
      logger,
      path: this.#gitSocket,
      gitKey: () => this.#workspace?.gitKey,
    });
    this.#terminals = new TerminalRegistry({
      workers: options.terminalWorkers,
      ringBytes: options.ringBytes,
      maxTerminals: options.maxTerminals,
      maxTerminalsPerSubject: options.maxTerminalsPerSubject,
      exitedKeepMs: options.exitedKeepMs,
      idleMs: {
        terminal: options.terminalIdleMs,
        reconnectingPty: options.reconnectingPtyIdleMs,
      },
      beatMs: options.workerBeatMs,
      faults: options.faultDoor,
      clock,
      logger,
      pool: options.terminalPool,
      prepareShell: (_id, { command, directory }) =>
        this.#prepareCommand({
          kind: command === undefined ? 'shell' : 'program',
          words: command,
          directory,
          term: 'xterm-256color',
        }),
      onMoved: (id) => {
        this.#recordings.moved(id);
      },
      onEnded: (id, total) => {
        this.#recordings.terminalEnded(id, total);
      },
      recordingOf: (id) => this.#recordings.nameOf(id),
    });
    this.#recordings = createRecordings({
      stateDir: options.stateDir,
      quotaBytes: options.recordingQuotaBytes,
      maxBytes: options.recordingBytes,
      terminals: this.#terminals,
      beatMs: options.workerBeatMs,
      faults: options.faultDoor,
      clock,
      logger,
    });
    this.#ssh = createSshServer({
      logger,
      hostKey: parts.hostKey.sshPrivateKey(),
      terminals: this.#terminals,
      systemUser: () => this.#user().name,
      prepareCommand: (request) => this.#prepareCommand(request),
      spawnCommand: (command) => this.#processes.spawnCommand(command),
      serveSftp,
      forwarding: options.forwarding,
      authorizedKeys: options.authorizedKeys,
      banner: options.sshBanner,
      x11Forwarding: options.x11Forwarding,
      motd: options.motd === false ? undefined : options.motd,
    });
    this.#sshListener =
      options.sshListen &&
      new DirectListener({
        ...options.sshListen,
        logger,
        serve: (socket) => {
          this.#ssh.serveDirect(socket);
        },
      });
    this.#sftp = new SftpDoor({
      logger,
      directory: async () => (await this.#prepareCommand({ kind: 'shell' })).cwd,
    });
    const router = new ChannelRouter(this.#handlers(), logger);
    this.#peers = createPeers({
      logger,
      identity: parts.identity.privateKey,
      agentVersion: PACKAGE_VERSION,
      issuerKeys: () => parts.pins.keys,
      workspaceId: () => this.#workspace?.workspaceId,
      workspace: () => this.#workspace?.workspace ?? '',
      onChannel: (channel) => {
        router.route(channel);
      },
      requests: {
        terminals: () => this.#terminals.list(),
        kill: (id, signal) => this.#terminals.kill(id, signal),
        create: (id, request, subject) => this.#terminals.create(id, request, subject),
        setIdle: (id, idleMs) => this.#terminals.setIdle(id, idleMs),
        wait: (id, timeoutMs, gone) => this.#terminals.wait(id, timeoutMs, gone),
        recordings: this.#recordings,
        viewers: (id, full) => this.#terminals.viewers(id, full),
        drop: (id, viewer, by) => this.#terminals.dropViewer(id, viewer, by),
      },
      workers: {
        size: options.peerWorkers,
        faults: options.faultDoor,
        beatMs: options.workerBeatMs,
      },
      webrtc: { choice: options.webrtc, hostPath: join(options.stateDir, NATIVE_SOCKET) },
      clock,
    });
    this.#metrics =
      options.metrics && new MetricsServer({ ...options.metrics, figures: () => this.#figures() });
  }

  get dialState(): DialState {
    return this.#dial?.state ?? 'closed';
  }

  get sshPort(): number {
    return this.#sshListener?.port ?? 0;
  }

  get metricsPort(): number {
    return this.#metrics?.port ?? 0;
  }

  async start(): Promise<void> {
    try {
      this.#orphans = reapOrphans();
      this.#terminals.start();
      await this.#peers.start();
      await mkdir(join(this.#options.stateDir, GIT_SOCKET_DIR), { recursive: true, mode: 0o700 });
      await this.#git.start();
      await this.#metrics?.start();
      await this.#peers.listenLocal(this.localSocket);
      await this.#sshListener?.start();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#dial = startDialLoop({
      dialer: this.#dialer(),
      logger: this.#options.logger,
      clock: this.#options.clock,
      onDialed: (workspace) => {
        this.#dialed(workspace);
      },
      onOffer: (offer) => {
        this.#peers.acceptOffer(offer);
      },
      onRevoked: (shares) => {
        this.#peers.revokeShares(shares);
      },
    });
  }

  /** Stops accepting, hangs up what runs, tells the peers; done by 4.5 s, since each step is bounded. */
  readonly close = once(async () => {
    const { logger } = this.#options;
    logger.info('agent closing');
    await Promise.all([
      this.#dial?.close(),
      this.#sshListener?.close(),
      this.#ssh.close(),
      this.#sftp.close(),
      this.#startup.close(),
      this.#processes.close(),
      this.#terminals.close(),
    ]);
    await this.#recordings.close();
    await Promise.all([
      this.#peers.close(),
      this.#git.close(),
      this.#metrics?.close(),
      this.#orphans?.close(),
      this.#parts.pins.stored(),
    ]);
    await this.#parts.lock.close();
    logger.info('agent closed');
    this.#closed.resolve();
  });

  #handlers(): Record<string, ChannelHandler> {
    const attach: ChannelHandler = (channel) => {
      this.#terminals.attach(channel);
    };
    const handlers: Record<string, ChannelHandler> = {
      ssh: (channel) => {
        this.#ssh.serve(channel);
      },
      terminal: attach,
      'reconnecting-pty': attach,
      sftp: (channel) => {
        this.#sftp.serve(channel);
      },
      recording: (channel) => {
        this.#recordings.download(channel);
      },
    };
    if (this.#options.faultDoor) {
      handlers['fault'] = createFaultDoor({
        terminalFault: (id: TerminalId, kind) => {
          this.#terminals.injectFault(id, kind);
        },
        peerFault: (kind) => {
          this.#peers.injectFault(kind);
        },
        logger: this.#options.logger,
      });
    }
    return handlers;
  }

  #dialer(): Dialer {
    const { dialer, broker } = this.#options;
    if (dialer !== undefined) return dialer;
    if (broker === undefined) throw new HoldfastError('ERR_INVALID_ARGUMENT', 'no broker');
    return createBrokerDialer({
      brokerUrl: broker.url,
      token: broker.token,
      identity: this.#parts.identity,
      sshHostKey: this.sshHostKey,
      agentVersion: PACKAGE_VERSION,
      liveShares: () => this.#peers.liveShares,
    });
  }

  #dialed(workspace: DialedWorkspace): void {
    this.#workspace = workspace;
    this.#parts.pins.offer(workspace.issuerKeys);
    this.#startup.start(this.#context());
  }

  #prepareCommand(request: CommandRequest): Promise<PreparedCommand> {
    return this.#prepare(request, this.#context());
  }

  /** What holds for sessions that start now. */
  #context(): CommandContext {
    const metadata = this.#workspace?.metadata ?? NO_METADATA;
    const { directory } = this.#options;
    return {
      metadata: directory === undefined ? metadata : { ...metadata, directory },
      agentEnv: { HOLDFAST_GIT_SOCK: this.#gitSocket },
    };
  }

  #user(): ReturnType<typeof currentUser> {
    const user = currentUser();
    const { shell } = this.#options;
    return shell === undefined ? user : { ...user, shell };
  }

  #figures(): AgentFigures {
    const { peers, unauthenticated } = this.#peers.counts;
    return {
      terminals: this.#terminals.count,
      sshConnections: this.#ssh.connections,
      peers,
      unauthenticatedPeers: unauthenticated,
      degraded: this.#terminals.degraded || this.#peers.degraded,
      connected: this.dialState === 'connected',
    };
  }
}
