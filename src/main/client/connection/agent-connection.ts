import {
  HoldfastError,
  once,
  systemClock,
  type Clock,
  type Closable,
} from '../../../shared/common/index.js';
import {
  ClientControl,
  type AuthenticatedSession,
  type ClientTrust,
} from '../../../shared/common/peer-auth/index.js';
import type { PeerEngine, RecordingInfo, TerminalInfo } from '../../../shared/common/wire/index.js';
import {
  nodePeerCrypto,
  type OpenChannelOptions,
  type PeerChannel,
  type PeerConnection,
  type PeerEnd,
} from '../../../shared/node/peer/index.js';

/** A connection to an agent that has proved who it is. */
export interface AgentConnection extends Closable {
  readonly connection: PeerConnection;
  /** Name of the workspace, who the agent takes us for, and what it lets us do. */
  readonly workspace: string;
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly agentVersion: string;
  /** Resolves once, when the connection has ended. Never rejects. */
  readonly closed: Promise<PeerEnd>;
  /** @throws {HoldfastError} ERR_PEER_LIMIT, ERR_PEER_LOST, ERR_CHANNEL_LABEL. */
  openChannel(options: OpenChannelOptions): PeerChannel;
  /** Round trip through agent and back, in ms. */
  ping(): Promise<number>;
  terminals(): Promise<TerminalInfo[]>;
  /** As the methods of {@link ClientControl} of these names. */
  readonly kill: ClientControl['kill'];
  readonly create: ClientControl['create'];
  readonly setIdle: ClientControl['setIdle'];
  readonly wait: ClientControl['wait'];
  readonly viewers: ClientControl['viewers'];
  readonly dropViewer: ClientControl['dropViewer'];
  /** Recordings that the agent makes and keeps; see `ClientControl`. */
  readonly recordings: RecordingsClient;
  /** Ends it as a network that fails does, if the engine can; else closes it. For trials. */
  cut(): void;
}

/** Requests about recordings. */
export interface RecordingsClient {
  /**
   * Begins to record a terminal on the agent.
   * @throws {HoldfastError} ERR_TERMINAL_NOT_FOUND, ERR_FORBIDDEN, ERR_RECORDING_EXISTS,
   *   ERR_RECORDING_QUOTA.
   */
  record(
    terminal: string,
    options?: { readonly input?: boolean; readonly name?: string },
  ): Promise<RecordingInfo>;
  /** Resolves when its file is complete. @throws {HoldfastError} ERR_RECORDING_NOT_FOUND. */
  stop(name: string): Promise<RecordingInfo>;
  list(): Promise<RecordingInfo[]>;
  /** @throws {HoldfastError} ERR_RECORDING_NOT_FOUND; ERR_RECORDING_EXISTS while it is being made. */
  delete(name: string): Promise<void>;
}

export interface AuthenticateOptions {
  readonly engine: PeerEngine;
  readonly trust: ClientTrust;
  readonly clock?: Clock | undefined;
}

/**
 * Runs peer authentication over a fresh `connection` and takes it over. Closes it if that fails.
 * @throws {HoldfastError} ERR_PEER_AUTH and the like, or the code by which the agent refused.
 */
export async function authenticateConnection(
  connection: PeerConnection,
  { engine, trust, clock = systemClock }: AuthenticateOptions,
): Promise<AgentConnection> {
  let control: ClientControl;
  let session: AuthenticatedSession;
  try {
    control = new ClientControl({
      channel: connection.openChannel({ label: 'control', protocol: 'control' }),
      binding: connection.binding(),
      engine,
      trust,
      crypto: nodePeerCrypto,
      clock,
    });
    session = await control.authenticate();
  } catch (error) {
    void connection.close();
    // Why the connection ended says more than that it did.
    const { error: reason } = await endOf(connection, error);
    throw reason;
  }
  // The agent opens no channels of its own.
  connection.onChannel((channel) => {
    channel.close({ code: 'ERR_UNKNOWN_PROTOCOL', message: 'clients serve no channels' });
  });
  void control.closed.then(() => connection.close());
  return {
    connection,
    ...session,
    closed: connection.closed,
    openChannel: (options) => connection.openChannel(options),
    ping: async () => {
      const start = clock.now();
      await control.ping();
      return clock.now() - start;
    },
    terminals: () => control.terminals(),
    kill: (terminal, signal) => control.kill(terminal, signal),
    create: (terminal, request) => control.create(terminal, request),
    setIdle: (terminal, idleMs) => control.setIdle(terminal, idleMs),
    wait: (terminal, timeoutMs) => control.wait(terminal, timeoutMs),
    recordings: {
      record: (terminal, options) => control.record(terminal, options),
      stop: (name) => control.stopRecording(name),
      list: () => control.recordings(),
      delete: (name) => control.deleteRecording(name),
    },
    viewers: (terminal) => control.viewers(terminal),
    dropViewer: (terminal, viewer) => control.dropViewer(terminal, viewer),
    cut: () => {
      if (connection.cut === undefined) void connection.close();
      else connection.cut();
    },
    close: once(async () => {
      control.close();
      await connection.close();
    }),
  };
}

/** The more telling of `error` and the reason for which `connection` ended. */
async function endOf(connection: PeerConnection, error: unknown): Promise<{ error: unknown }> {
  const isVague =
    error instanceof HoldfastError &&
    (error.code === 'ERR_PEER_LOST' || error.code === 'ERR_CHANNEL_CLOSED');
  if (!isVague) return { error };
  const end = await connection.closed;
  return {
    error:
      end.error === undefined
        ? error
        : new HoldfastError(end.error.code, end.error.message, { cause: error }),
  };
}
