import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  assertNever,
  deferred,
  fromErrorRecord,
  HoldfastError,
  limits,
  once,
  type Clock,
  type Closable,
  type Deferred,
  type ErrorRecord,
  type Logger,
  type Timer,
} from '../../../shared/common/index.js';
import type { IceCandidate, IceServer } from '../../../shared/common/wire/index.js';
import {
  HOST_TOKEN_LENGTH,
  type HostCommand,
  type HostEvent,
  type PeerEnd,
  type PeerSource,
} from '../../../shared/node/peer/index.js';
import { ProcessRegistry, type SpawnedProcess } from '../process/index.js';
import { DeathCount } from '../worker-pool/index.js';

export interface NativeHostOptions {
  /** Where the host listens: in the 0700 state folder. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly beatMs: number;
  readonly heartbeatMs: number | undefined;
}

/** What is heard of a connection of the host. */
export interface HostedHandlers {
  answer(sdp: string): void;
  candidate(candidate: IceCandidate): void;
  /** It stands; whoever runs a task with `source` gets its channels. */
  connected(source: PeerSource): void;
  /** Last. */
  ended(end: PeerEnd): void;
}

/** A connection of the host. All of it does nothing once that has ended. */
export interface HostedConnection {
  addCandidate(candidate: IceCandidate): void;
  probe(): void;
  expel(error: ErrorRecord): void;
  close(): void;
}

interface Hosted {
  readonly token: string;
  readonly handlers: HostedHandlers;
}

const ENTRY = fileURLToPath(new URL('../../../workers/native/entry.js', import.meta.url));
/** Beats that the host may miss; the second one exists to survive a laptop's sleep. */
const MISSES = 2;
/** What goodbyes may take when the agent closes. */
const GOODBYES_MS = 1_000;

/**
 * The child process that runs the engine `native`, supervised as worker threads are: it is started again with
 * the next offer after it died, unless it died too often, and killed when it stalls. A hostile peer costs the
 * connections of the host, never the agent. Runs on main, which never sees the bytes of channels.
 */
export class NativeHost implements Closable {
  readonly #options: NativeHostOptions;
  readonly #processes = new ProcessRegistry();
  readonly #deaths: DeathCount;
  readonly #hosted = new Map<number, Hosted>();
  #process: Promise<SpawnedProcess> | undefined;
  #nextId = 1;
  #missed = 0;
  #beat: Timer | undefined;
  #closing = false;
  /** Of `close`: no connection is left. */
  #emptied: Deferred<undefined> | undefined;

  constructor(options: NativeHostOptions) {
    this.#options = options;
    this.#deaths = new DeathCount(options.clock, limits.WORKER_DEATHS, limits.WORKER_DEATHS_MS);
  }

  /** It dies so often that no new peer should be accepted. */
  get degraded(): boolean {
    return this.#deaths.tooMany;
  }

  /** For tests: the process, while there is one. */
  get pid(): Promise<number> | undefined {
    return this.#process?.then(({ pid }) => pid);
  }

  /** Starts the process. @throws {HoldfastError} ERR_ENGINE_UNAVAILABLE, ERR_SPAWN. */
  async start(): Promise<void> {
    this.#process ??= this.#start();
    await this.#process;
  }

  /** Has an offer answered. @throws {HoldfastError} ERR_DEGRADED, ERR_CLOSED. */
  accept(
    offer: { readonly sdp: string; readonly iceServers: readonly IceServer[] },
    handlers: HostedHandlers,
  ): HostedConnection {
    if (this.#closing) throw new HoldfastError('ERR_CLOSED', 'the agent is closing');
    if (this.degraded) throw new HoldfastError('ERR_DEGRADED', 'the native host keeps dying');
    const id = this.#nextId;
    this.#nextId += 1;
    const token = randomBytes(HOST_TOKEN_LENGTH / 2).toString('hex');
    this.#hosted.set(id, { token, handlers });
    const { heartbeatMs } = this.#options;
    this.#send({ type: 'offer', id, token, ...offer, heartbeatMs });
    return {
      addCandidate: (candidate) => {
        this.#send({ type: 'candidate', id, candidate });
      },
      probe: () => {
        this.#send({ type: 'probe', id });
      },
      expel: (error) => {
        this.#send({ type: 'expel', id, error });
      },
      close: () => {
        if (this.#hosted.has(id)) this.#send({ type: 'close', id });
      },
    };
  }

  /** Ends the process, and with it what connections it has left. */
  readonly close = once(async () => {
    this.#closing = true;
    this.#beat?.cancel();
    await this.#goodbyes();
    await this.#processes.close();
    await rm(this.#options.path, { force: true });
  });

  #send(command: HostCommand): void {
    this.#process ??= this.#start();
    this.#process.then(
      ({ child }) => {
        if (child.connected) child.send(command, () => undefined);
      },
      (error: unknown) => {
        if (command.type === 'offer') this.#endAll(error);
      },
    );
  }

  async #start(): Promise<SpawnedProcess> {
    const { path, logger } = this.#options;
    try {
      await rm(path, { force: true });
      const spawned = await this.#processes.spawnProcess(
        // Nothing of our environment, in which credentials may be, is of any use to it.
        { file: process.execPath, args: [ENTRY, path], env: {}, cwd: '/' },
        { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
      );
      const ready = deferred<undefined>();
      spawned.child.on('message', (event: HostEvent) => {
        if (event.type === 'ready') ready.resolve(undefined);
        else if (event.type === 'unavailable') ready.reject(fromErrorRecord(event.error));
        else this.#receive(event);
      });
      void spawned.exited.then((status) => {
        ready.reject(new HoldfastError('ERR_WORKER_LOST', 'the native host ended'));
        this.#ended(status);
      });
      await ready.promise;
      logger.info('native host started', { pid: spawned.pid });
      this.#missed = 0;
      this.#scheduleBeat(spawned);
      return spawned;
    } catch (error) {
      this.#process = undefined;
      throw error;
    }
  }

  #receive(event: Exclude<HostEvent, { type: 'ready' | 'unavailable' }>): void {
    if (event.type === 'beat') {
      this.#missed = 0;
      return;
    }
    const hosted = this.#hosted.get(event.id);
    if (hosted === undefined) return;
    const { token, handlers } = hosted;
    switch (event.type) {
      case 'answer':
        handlers.answer(event.sdp);
        return;
      case 'candidate':
        handlers.candidate(event.candidate);
        return;
      case 'connected': {
        const { path } = this.#options;
        handlers.connected({ kind: 'native', path, token, binding: event.binding });
        return;
      }
      case 'ended':
        this.#hosted.delete(event.id);
        if (this.#hosted.size === 0) this.#emptied?.resolve(undefined);
        handlers.ended(event.end);
        return;
      default:
        assertNever(event);
    }
  }

  /** The process has ended, and all its connections with it. */
  #ended(status: unknown): void {
    this.#process = undefined;
    this.#beat?.cancel();
    if (!this.#closing) {
      this.#deaths.add();
      this.#options.logger.error('native host died', { status, peers: this.#hosted.size });
    }
    this.#endAll(new HoldfastError('ERR_WORKER_LOST', 'the native host ended'));
  }

  #endAll(error: unknown): void {
    const { code, message } =
      error instanceof HoldfastError
        ? error
        : new HoldfastError('ERR_INTERNAL', 'the native host could not be started');
    const all = [...this.#hosted.values()];
    this.#hosted.clear();
    this.#emptied?.resolve(undefined);
    for (const { handlers } of all) handlers.ended({ error: { code, message } });
  }

  /** Waits until the peers have been told, within a bound. */
  async #goodbyes(): Promise<void> {
    if (this.#hosted.size === 0) return;
    const late = deferred<undefined>();
    const timer = this.#options.clock.after(GOODBYES_MS, () => {
      late.resolve(undefined);
    });
    this.#emptied = late;
    await late.promise;
    timer.cancel();
  }

  /** A host whose loop does not turn is as good as dead. */
  #scheduleBeat(spawned: SpawnedProcess): void {
    const { clock, beatMs, logger } = this.#options;
    this.#beat?.cancel();
    const due = clock.now() + beatMs;
    this.#beat = clock.after(beatMs, () => {
      // After a suspend, or while main was busy, everybody seems late.
      if (clock.now() - due > beatMs / 2) this.#missed = 0;
      if (this.#missed >= MISSES) {
        logger.error('native host stalled', { pid: spawned.pid });
        void spawned.end();
        return;
      }
      this.#missed += 1;
      this.#send({ type: 'beat' });
      this.#scheduleBeat(spawned);
    });
  }
}
