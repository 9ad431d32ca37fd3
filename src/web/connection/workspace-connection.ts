import {
  Backoff,
  deferred,
  fromErrorRecord,
  HoldfastError,
  limits,
  toErrorRecord,
  type ByteChannel,
  type ErrorCode,
  type ErrorRecord,
} from '../../shared/common/index.js';
import {
  Permissions,
  type RecordingInfo,
  type Shared,
  type TerminalInfo,
} from '../../shared/common/wire/index.js';
import {
  AgentKeyChangedError,
  connect,
  type Connected,
  type ConnectStep,
  type ShareTarget,
} from './connect.js';
import { createIdentity, type Identity } from './identity.js';
import type { LinkKind } from './types.js';

/** What a person wants to know about the connection to a workspace. */
export type ConnectionState =
  | { readonly type: 'connecting'; readonly step: ConnectStep }
  | {
      readonly type: 'connected';
      readonly kind: LinkKind;
      readonly subject: string;
      readonly agentVersion: string;
      readonly permissions: Permissions;
      /** What the share link allows. Absent: a person's own token was shown. */
      readonly shared: Shared | undefined;
      /** Absent until the first answer to a ping. */
      readonly latencyMs: number | undefined;
    }
  /** The next attempt begins at `retryAt`, on the clock of `performance.now()`. */
  | { readonly type: 'waiting'; readonly error: ErrorRecord; readonly retryAt: number }
  /** Somebody has to do something first. */
  | { readonly type: 'failed'; readonly error: HoldfastError }
  | { readonly type: 'closed' };

/** Errors that another attempt cannot cure. */
const NEEDS_A_PERSON: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_NOT_LOGGED_IN',
  'ERR_UNAUTHORIZED',
  'ERR_FORBIDDEN',
  'ERR_WORKSPACE_NOT_FOUND',
  'ERR_NOT_FOUND',
  'ERR_PEER_AUTH',
  'ERR_PROTOCOL_VERSION',
  'ERR_UNSUPPORTED',
  'ERR_SHARE_REVOKED',
  'ERR_SHARE_EXPIRED',
  'ERR_SHARE_FULL',
  'ERR_SHARE_MISMATCH',
]);

/** A reloaded page may find its own old connection still counted, for a moment. */
const FULL_TRIES = 3;

/** A ping this long without answer after the page was looked at again means that the link died. */
const WAKE_PING_MS = 3_000;

/** Made once per document; all connections of it use the same key. */
let identity: Promise<Identity> | undefined;

export interface WorkspaceConnectionOptions {
  readonly workspace: string;
  /** Or the secret of a share link. */
  readonly token: string;
  /** What a share link says of where it leads. Absent: it is a person's own token. */
  readonly share?: ShareTarget;
  readonly relayOnly: boolean;
}

/**
 * The connection to one workspace, shared by everything on the page that shows it. Connects when
 * started, notices when the link dies, and connects again until closed.
 */
export class WorkspaceConnection {
  readonly workspace: string;
  readonly #options: WorkspaceConnectionOptions;
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  readonly #abort = new AbortController();
  readonly #backoff = new Backoff({ minMs: 500, maxMs: limits.DIAL_MAX_MS });
  #state: ConnectionState = { type: 'connecting', step: 'ticket' };
  #connected: Connected | undefined;
  /** Attempts in a row that found the share link full. */
  #full = 0;
  /** Resolves with the next connection; replaced when that is lost. */
  #next = deferred<Connected>();
  #wakeUp: (() => void) | undefined;

  constructor(options: WorkspaceConnectionOptions) {
    this.workspace = options.workspace;
    this.#options = options;
    this.#next.promise.catch(() => undefined);
  }

  /** Whether it rests on a share link. */
  get isShared(): boolean {
    return this.#options.share !== undefined;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Calls `listener` now and at every change. Returns how to stop. */
  listen(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  start(): void {
    const { signal } = this.#abort;
    addEventListener(
      'online',
      () => {
        this.retryNow();
      },
      { signal },
    );
    document.addEventListener(
      'visibilitychange',
      () => {
        if (document.visibilityState === 'visible') this.#checkNow();
      },
      { signal },
    );
    void this.#run();
  }

  /** Opens a channel, waiting for a connection if there is none. @throws {HoldfastError} ERR_CLOSED. */
  async openChannel(protocol: string, label: string): Promise<ByteChannel> {
    const { link } = await this.#next.promise;
    return link.openChannel({ protocol, label });
  }

  async terminals(): Promise<readonly TerminalInfo[]> {
    return await (await this.#next.promise).control.terminals();
  }

  async recordings(): Promise<readonly RecordingInfo[]> {
    return await (await this.#next.promise).control.recordings();
  }

  async stopRecording(name: string): Promise<void> {
    await (await this.#next.promise).control.stopRecording(name);
  }

  async deleteRecording(name: string): Promise<void> {
    await (await this.#next.promise).control.deleteRecording(name);
  }

  async kill(terminal: string): Promise<void> {
    await (await this.#next.promise).control.kill(terminal);
  }

  /** Does not wait for the end of a back-off; after a failure begins anew. */
  retryNow(): void {
    this.#backoff.reset();
    this.#wakeUp?.();
  }

  close(): void {
    this.#abort.abort();
    this.#connected?.link.close();
    this.#next.reject(new HoldfastError('ERR_CLOSED', 'the connection was closed'));
    this.#setState({ type: 'closed' });
    this.#listeners.clear();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    for (;;) {
      let error: unknown;
      try {
        identity ??= createIdentity();
        const connected = await connect({
          ...this.#options,
          identity: await identity,
          signal,
          onStep: (step) => {
            this.#setState({ type: 'connecting', step });
          },
        });
        error = fromErrorRecord(await this.#serve(connected));
      } catch (thrown) {
        error = thrown;
      }
      if (isAborted(signal)) return;
      const failure =
        error instanceof HoldfastError
          ? error
          : new HoldfastError('ERR_INTERNAL', toErrorRecord(error).message, { cause: error });
      this.#full = failure.code === 'ERR_SHARE_FULL' ? this.#full + 1 : 0;
      const mayFree = this.#full > 0 && this.#full < FULL_TRIES;
      if (
        (NEEDS_A_PERSON.has(failure.code) && !mayFree) ||
        failure instanceof AgentKeyChangedError
      ) {
        // Whoever waits for a channel goes on waiting: the cure may be a new token or a click away.
        this.#setState({ type: 'failed', error: failure });
        await this.#sleep(undefined);
      } else {
        const delayMs = this.#backoff.next();
        this.#setState({
          type: 'waiting',
          error: toErrorRecord(failure),
          retryAt: performance.now() + delayMs,
        });
        await this.#sleep(delayMs);
      }
      if (isAborted(signal)) return;
    }
  }

  /** Lives with a connection until it ends; returns why it did. */
  async #serve(connected: Connected): Promise<ErrorRecord> {
    const { link, control, session, shared } = connected;
    if (this.#abort.signal.aborted) {
      link.close();
      return { code: 'ERR_CLOSED', message: 'closed' };
    }
    this.#connected = connected;
    let latencyMs: number | undefined;
    const { subject, agentVersion } = session;
    const permissions = new Permissions(session.scopes);
    const { kind } = link;
    const show = (): void => {
      this.#setState({
        type: 'connected',
        kind,
        subject,
        agentVersion,
        permissions,
        shared,
        latencyMs,
      });
    };
    show();
    this.#next.resolve(connected);
    const stable = setTimeout(() => {
      this.#backoff.reset();
    }, limits.TERMINAL_STABLE_MS);
    const beat = heartbeat(control, (measured) => {
      latencyMs = measured;
      show();
    });
    try {
      const error = await Promise.race([
        link.closed,
        control.closed.then(toErrorRecord),
        beat.lost,
      ]);
      return error;
    } finally {
      beat.stop();
      clearTimeout(stable);
      this.#connected = undefined;
      this.#next = deferred();
      this.#next.promise.catch(() => undefined);
      link.close();
    }
  }

  /** After a sleep of the machine a dead link looks alive until the next beats are missed: ask at once. */
  #checkNow(): void {
    this.#wakeUp?.();
    const connected = this.#connected;
    if (connected === undefined) return;
    const timer = setTimeout(() => {
      connected.link.close();
    }, WAKE_PING_MS);
    connected.control
      .ping()
      .catch(() => undefined)
      .finally(() => {
        clearTimeout(timer);
      });
  }

  /** Waits for `ms`, or until {@link retryNow}; without `ms` only for that. */
  async #sleep(ms: number | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#abort.signal.addEventListener('abort', this.#wakeUp, { once: true });
    });
    this.#wakeUp = undefined;
  }

  #setState(state: ConnectionState): void {
    if (this.#state.type === 'closed') return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}

/** A call, since a property read twice is taken to be the same across an `await`. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Pings at HEARTBEAT_MS; `lost` resolves after HEARTBEAT_MISSES beats without answer. */
function heartbeat(
  control: Connected['control'],
  measured: (ms: number) => void,
): { readonly lost: Promise<ErrorRecord>; stop(): void } {
  const lost = deferred<ErrorRecord>();
  let pending = false;
  let missed = 0;
  const beat = (): void => {
    if (pending) {
      missed += 1;
      if (missed >= limits.HEARTBEAT_MISSES) {
        lost.resolve({ code: 'ERR_PEER_LOST', message: 'the agent has gone silent' });
      }
      return;
    }
    pending = true;
    const start = performance.now();
    control.ping().then(
      () => {
        pending = false;
        missed = 0;
        measured(performance.now() - start);
      },
      // The channel ended, which is reported by itself.
      () => undefined,
    );
  };
  beat();
  const timer = setInterval(beat, limits.HEARTBEAT_MS);
  return {
    lost: lost.promise,
    stop: () => {
      clearInterval(timer);
    },
  };
}
