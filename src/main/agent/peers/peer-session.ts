import { closeSync } from 'node:fs';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import {
  assertNever,
  deferred,
  limits,
  once,
  toErrorRecord,
  type Clock,
  type Closable,
  type ConnectionId,
  type ErrorRecord,
  type Logger,
  type LogRecord,
  type Timer,
} from '../../../shared/common/index.js';
import {
  AgentControl,
  type ExpectedClient,
  type PeerCrypto,
  type Signer,
} from '../../../shared/common/peer-auth/index.js';
import type { IceCandidate, Permissions, ShareClaim } from '../../../shared/common/wire/index.js';
import type {
  EngineName,
  PeerBinding,
  PeerCommand,
  PeerEnd,
  PeerEvent,
  PeerSource,
  PeerTask,
} from '../../../shared/node/peer/index.js';
import { PortChannel, type FaultKind, type PortHandle } from '../../../shared/node/ports/index.js';
import type { WorkerPool } from '../worker-pool/index.js';
import type { HostedConnection, NativeHost } from './native-host.js';
import { mayRequest, permittedRequests, type AgentRequests } from './permitted-requests.js';
import type { IncomingChannel, VerifiedPeer } from './types.js';

/** What is the same for all sessions of an agent. */
export interface SessionContext {
  readonly pool: WorkerPool;
  readonly clock: Clock;
  readonly agentKey: string;
  readonly sign: Signer;
  readonly crypto: PeerCrypto;
  readonly agentVersion: string;
  readonly workspace: () => string;
  readonly requests: AgentRequests;
  readonly onChannel: (channel: IncomingChannel) => void;
  readonly heartbeatMs: number | undefined;
  /** Answers WebRTC offers in place of the workers. Absent: the workers do. */
  readonly native: () => NativeHost | undefined;
}

export interface SessionOptions {
  readonly connectionId: ConnectionId;
  readonly subject: string;
  readonly permissions: Permissions;
  readonly source: PeerSource;
  readonly client: ExpectedClient;
  /** The share link that it comes through. Absent: none. */
  readonly share?: ShareClaim | undefined;
  readonly logger: Logger;
  readonly onAuthenticated?: ((session: PeerSession) => void) | undefined;
  /** Of a WebRTC exchange. */
  readonly onAnswer?: ((sdp: string) => void) | undefined;
  readonly onCandidate?: ((candidate: IceCandidate) => void) | undefined;
}

/**
 * One peer as main sees it: the task in a peer worker, the handshake, and the channels it hands on. The
 * connection itself lives in the worker; what ends here ends there and the other way round.
 */
export class PeerSession implements VerifiedPeer, Closable {
  readonly connectionId: ConnectionId;
  readonly subject: string;
  readonly permissions: Permissions;
  readonly #context: SessionContext;
  readonly #options: SessionOptions;
  readonly #logger: Logger;
  readonly #port: MessagePort;
  readonly #workerPort: MessagePort;
  readonly #ended = deferred<PeerEnd>();
  #engine: EngineName = 'framed';
  #binding: PeerBinding | undefined;
  #control: AgentControl | undefined;
  /** Its part in the native host. Absent: it has none. */
  #hosted: HostedConnection | undefined;
  /** How it ended there, which its worker does not learn. */
  #hostedEnd: PeerEnd | undefined;
  /** A worker has it. */
  #isRunning = false;
  #state: 'new' | 'connecting' | 'proving' | 'authenticated' | 'ended' = 'new';
  #deadline: Timer | undefined;
  /** What the last word on the control channel may take. */
  #drainMs = limits.PEER_DRAIN_MS;
  /** Why this end closes the connection. Absent: for no bad reason. */
  #failure: ErrorRecord | undefined;

  constructor(context: SessionContext, options: SessionOptions) {
    this.#context = context;
    this.#options = options;
    this.connectionId = options.connectionId;
    this.subject = options.subject;
    this.permissions = options.permissions;
    this.#logger = options.logger;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#workerPort = port2;
  }

  get engine(): EngineName {
    return this.#engine;
  }

  get share(): string | undefined {
    return this.#options.share?.id;
  }

  /** The key that the client proves to hold; empty for a local one, which proves nothing. */
  get clientKey(): string {
    const { client } = this.#options;
    return client.kind === 'ticket' ? client.clientKey : '';
  }

  get isAuthenticated(): boolean {
    return this.#state === 'authenticated';
  }

  /** Whether it ever stood, authenticated or not. */
  get hasConnected(): boolean {
    return this.#binding !== undefined;
  }

  /** Resolves once, when the connection has ended or never came about. Never rejects. */
  get ended(): Promise<PeerEnd> {
    return this.#ended.promise;
  }

  /** Hands the connection to a worker. Called once. */
  start(): void {
    this.#state = 'connecting';
    this.#expect(limits.PEER_ESTABLISH_MS);
    this.#port.on('message', (event: PeerEvent) => {
      this.#receive(event);
    });
    const { source } = this.#options;
    const native = source.kind === 'webrtc' ? this.#context.native() : undefined;
    if (native === undefined || source.kind !== 'webrtc') this.#run(source);
    else this.#host(native, source);
  }

  #host(native: NativeHost, { sdp, iceServers }: Extract<PeerSource, { kind: 'webrtc' }>): void {
    try {
      this.#hosted = native.accept(
        { sdp, iceServers },
        {
          answer: (answer) => {
            this.#options.onAnswer?.(answer);
          },
          candidate: (candidate) => {
            this.#options.onCandidate?.(candidate);
          },
          connected: (source) => {
            if (this.#state === 'connecting') this.#run(source);
          },
          ended: (end) => {
            this.#hostedEnd = end;
            if (!this.#isRunning) this.#end(end);
          },
        },
      );
    } catch (error) {
      this.#end({ error: toErrorRecord(error) });
    }
  }

  #run(source: PeerSource): void {
    this.#isRunning = true;
    const task: PeerTask = {
      source,
      port: this.#workerPort,
      heartbeatMs: this.#context.heartbeatMs,
      maxChannels: this.#options.share === undefined ? undefined : limits.SHARE_CHANNELS,
    };
    this.#context.pool.run(task, [this.#workerPort]).then(
      () => {
        // The `ended` event may still be under way; the port closes after it.
        this.#port.once('close', () => {
          this.#end({ error: { code: 'ERR_PEER_LOST', message: 'the connection ended' } });
        });
      },
      (error: unknown) => {
        const record = toErrorRecord(error);
        // Thrown before any worker has seen the task, so the descriptor is still ours.
        if (source.kind === 'socket' && record.code === 'ERR_CLOSED') closeSync(source.fd);
        this.#end({ error: record });
      },
    );
  }

  addCandidate(candidate: IceCandidate): void {
    if (this.#state !== 'connecting') return;
    if (this.#hosted !== undefined) this.#hosted.addCandidate(candidate);
    else this.#send({ type: 'candidate', candidate });
  }

  disconnect(): void {
    void this.close();
  }

  /** Says goodbye to the peer; resolves when its connection has ended. */
  readonly close = once(async () => {
    this.#closeConnection(undefined);
    await this.#ended.promise;
  });

  /** Ends the connection because of `error`. */
  fail(error: ErrorRecord): void {
    if (this.#control === undefined) {
      this.#closeConnection(error);
      return;
    }
    this.#failure ??= error;
    this.#control.refuse(error);
  }

  /**
   * Ends the connection now: its channels carry nothing more but the reason, whether its end reads or
   * not. A client that does not take its last word is cut off soon after.
   */
  expel(error: ErrorRecord): void {
    this.#drainMs = limits.SHARE_CUT_MS;
    this.#send({ type: 'expel', error });
    // What has left the worker for the host already.
    this.#hosted?.expel(error);
    this.fail(error);
  }

  /** Ends the connection soon unless its other end shows that it is there. */
  probe(): void {
    this.#send({ type: 'probe' });
    this.#hosted?.probe();
  }

  /** For tests: kills the worker of this connection. */
  injectFault(kind: FaultKind): void {
    this.#send({ type: 'fault', kind });
  }

  #closeConnection(error: ErrorRecord | undefined): void {
    if (this.#hosted !== undefined && !this.#isRunning) {
      this.#hosted.close();
      this.#end({ error: error ?? { code: 'ERR_CLOSED', message: 'closed' } });
    } else this.#send({ type: 'close', error });
  }

  #send(command: PeerCommand): void {
    if (this.#state !== 'ended') this.#port.postMessage(command);
  }

  #receive(event: PeerEvent): void {
    if (this.#state === 'ended') return;
    switch (event.type) {
      case 'answer':
        this.#options.onAnswer?.(event.sdp);
        return;
      case 'candidate':
        this.#options.onCandidate?.(event.candidate);
        return;
      case 'connected':
        this.#binding = event.binding;
        this.#engine = event.binding.engine;
        this.#expect(limits.PEER_AUTH_MS);
        return;
      case 'channel':
        this.#receiveChannel(event.label, event.protocol, event.handle);
        return;
      case 'log':
        this.#log(event.record);
        return;
      case 'ended':
        this.#end(this.#hostedEnd?.error === undefined ? event.end : this.#hostedEnd);
        return;
      default:
        assertNever(event);
    }
  }

  #receiveChannel(label: string, protocol: string, handle: PortHandle): void {
    if (this.#state === 'authenticated') {
      this.#logger.debug('channel opened', { label, protocol });
      this.#context.onChannel({ peer: this, label, protocol, handle });
      return;
    }
    if (this.#binding === undefined || this.#control !== undefined || protocol !== 'control') {
      // The worker holds such channels back, so this is its defect, not the peer's.
      handle.port.close();
      this.fail({ code: 'ERR_INTERNAL', message: 'a channel came before authentication' });
      return;
    }
    this.#state = 'proving';
    const { agentVersion, workspace } = this.#context;
    this.#control = new AgentControl({
      channel: new PortChannel(handle),
      binding: this.#binding,
      client: this.#options.client,
      agentKey: this.#context.agentKey,
      sign: this.#context.sign,
      crypto: this.#context.crypto,
      clock: this.#context.clock,
      requests: permittedRequests(this.#context.requests, this),
      mayRequest: (type) => mayRequest(type, this.share !== undefined),
      onAuthenticated: () => {
        this.#authenticated();
      },
      welcome: {
        workspace: workspace(),
        subject: this.subject,
        scopes: this.permissions.list(),
        agentVersion,
      },
    });
    this.#control.authenticate().catch((error: unknown) => {
      this.#refused(error);
    });
    void this.#closeAfter(this.#control);
  }

  #authenticated(): void {
    if (this.#state !== 'proving') return;
    this.#state = 'authenticated';
    this.#deadline?.cancel();
    this.#logger.info('peer authenticated', {
      engine: this.#engine,
      scopes: this.permissions.list(),
    });
    this.#send({ type: 'authenticated' });
    this.#options.onAuthenticated?.(this);
  }

  #refused(error: unknown): void {
    const { code, message } = toErrorRecord(error);
    this.#logger.warn('peer authentication failed', { code, reason: message });
    this.#failure ??= { code, message };
  }

  /**
   * A peer without its control channel cannot be asked for anything any more. The order to close takes
   * another port than the last word on that channel, and must not overtake it: the peer shall learn why.
   */
  async #closeAfter(control: AgentControl): Promise<void> {
    await control.closed;
    const late = deferred<undefined>();
    const timer = this.#context.clock.after(this.#drainMs, () => {
      late.resolve(undefined);
    });
    await Promise.race([control.gone, late.promise, this.#ended.promise]);
    timer.cancel();
    this.#send({ type: 'close', error: this.#failure });
  }

  #expect(ms: number): void {
    this.#deadline?.cancel();
    this.#deadline = this.#context.clock.after(ms, () => {
      this.#logger.warn('peer took too long to connect', { state: this.#state });
      this.fail({ code: 'ERR_PEER_TIMEOUT', message: 'the peer took too long to connect' });
    });
  }

  #log({ level, message, fields }: LogRecord): void {
    this.#logger[level](message, fields);
  }

  #end(end: PeerEnd): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#deadline?.cancel();
    this.#port.close();
    this.#hosted?.close();
    this.#logger.info('peer ended', end.error === undefined ? {} : { ...end.error });
    this.#ended.resolve(end);
  }
}
