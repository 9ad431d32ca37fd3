import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { Client, type AuthHandlerMiddleware } from 'ssh2';
import {
  deferred,
  HoldfastError,
  limits,
  once,
  type ByteChannel,
  type Closable,
} from '../../../shared/common/index.js';
import { offerHybridKex, prepareHybrid } from '../../../shared/node/hybrid-kex/index.js';
import { ChannelDuplex } from '../../../shared/node/ports/index.js';

/**
 * Bytes that may wait in the transport: the windows of all channels that {@link TransportGate} does not
 * see in time. Well beyond what a well-behaved peer can cause.
 */
const TRANSPORT_QUEUE_BYTES = 64 * limits.MIB;
const HANDSHAKE_MS = 20_000;
const KEEPALIVE_MS = 15_000;
const KEEPALIVE_MISSES = 3;

export interface SshConnectOptions {
  /**
   * `ssh-ed25519 AAAA...`: the only host key that is accepted. `any`: whichever it is, where the channel's
   * connection has proved who is at its other end, as the unix socket of this user's agent does.
   */
  readonly hostKey: string;
  /** For the server's log; who may come in is decided by the peer connection. */
  readonly username: string;
  /** Private key files to offer if the agent wants keys on top. */
  readonly identityFiles?: readonly string[];
  /** Socket of an ssh-agent whose keys are offered too. */
  readonly agentSocket?: string | undefined;
  /** Lend `agentSocket` to the remote side. */
  readonly forwardAgent?: boolean;
  /** What the server says before it lets anybody in; as it came, so not fit for a terminal. */
  readonly onBanner?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** An SSH connection over a channel; owns both. */
export interface SshConnection extends Closable {
  readonly client: Client;
  /** The stream under it; see {@link TransportGate}. */
  readonly transport: Duplex;
  /** Resolves when it has ended, with the reason if it was not closed on purpose. Never rejects. */
  readonly closed: Promise<HoldfastError | undefined>;
}

/** Does ahead what {@link connectSsh} needs no connection for; worth it while one is being made. */
export function prepareSsh(): void {
  prepareHybrid();
}

/**
 * Speaks SSH over `channel` up to the end of authentication.
 * @throws {HoldfastError} ERR_PEER_AUTH for another host key, ERR_UNAUTHORIZED where keys are wanted and
 *   none fits, ERR_PEER_TIMEOUT, ERR_PEER_LOST, ERR_CLOSED on abort.
 */
export async function connectSsh(
  channel: ByteChannel,
  options: SshConnectOptions,
): Promise<SshConnection> {
  const client = new Client();
  const transport = new ChannelDuplex(channel, {
    maxQueuedBytes: TRANSPORT_QUEUE_BYTES,
    lost: { code: 'ERR_PEER_LOST', message: 'the connection to the agent was lost' },
  });
  const ready = deferred<undefined>();
  const ended = deferred<HoldfastError | undefined>();
  let failure: HoldfastError | undefined;
  let closing = false;
  let wrongKey = false;

  const fail = (error: unknown): void => {
    failure ??= wrongKey
      ? new HoldfastError(
          'ERR_PEER_AUTH',
          'the SSH host key is not the one this workspace is known by',
        )
      : translate(error);
    ready.reject(failure);
  };
  // A listener must stand on both for good: an `error` without one ends the process.
  client.on('error', fail);
  transport.on('error', fail);
  if (options.onBanner !== undefined) client.on('banner', options.onBanner);
  client.on('ready', () => ready.resolve(undefined));
  client.on('close', () => {
    fail(new HoldfastError('ERR_PEER_LOST', 'the SSH connection ended'));
    ended.resolve(closing ? undefined : failure);
  });
  const abort = (): void => {
    fail(new HoldfastError('ERR_CLOSED', 'connecting was given up'));
  };
  options.signal?.addEventListener('abort', abort, { once: true });

  client.connect({
    sock: transport,
    username: options.username,
    hostVerifier: (key: Buffer): boolean => {
      wrongKey =
        options.hostKey !== 'any' && key.toString('base64') !== options.hostKey.split(' ')[1];
      return !wrongKey;
    },
    algorithms: { serverHostKey: ['ssh-ed25519'], compress: ['none'] },
    authHandler: authHandler(options),
    ...(options.agentSocket === undefined ? {} : { agent: options.agentSocket }),
    agentForward: options.forwardAgent === true && options.agentSocket !== undefined,
    readyTimeout: HANDSHAKE_MS,
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: KEEPALIVE_MISSES,
    // Else the requests for sockets are only sent to servers that call themselves OpenSSH.
    strictVendor: false,
  });
  // Through a relay this is all that hides a session, also from who keeps what passes for years.
  offerHybridKex((client as unknown as { readonly _protocol: object })._protocol);

  const close = once(async () => {
    closing = true;
    client.end();
    // What is queued leaves within a bound; then the channel goes whether it has or not.
    const timer = setTimeout(() => transport.destroy(), 1_000);
    transport.once('close', () => ended.resolve(undefined));
    await ended.promise;
    clearTimeout(timer);
  });
  try {
    await ready.promise;
  } catch (error) {
    client.destroy();
    transport.destroy();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
  return { client, transport, closed: ended.promise, close };
}

/** First "none", which is all that a verified peer needs; then what keys there are. */
function authHandler({
  username,
  identityFiles = [],
  agentSocket,
}: SshConnectOptions): AuthHandlerMiddleware {
  const attempts: object[] = [{ type: 'none', username }];
  for (const file of identityFiles) {
    attempts.push({ type: 'publickey', username, key: readFileSync(file) });
  }
  if (agentSocket !== undefined) attempts.push({ type: 'agent', username, agent: agentSocket });
  return (_left, _partial, next) => {
    // ssh2 takes `false` for "no more"; its types do not know.
    next((attempts.shift() ?? false) as never);
  };
}

function translate(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const level = error instanceof Error && 'level' in error ? error.level : undefined;
  if (level === 'client-authentication') {
    return new HoldfastError(
      'ERR_UNAUTHORIZED',
      'the agent wants an SSH key and none was accepted',
      {
        cause: error,
        hint: 'Give one with -i FILE or an ssh-agent, and put its public half into the authorized keys.',
      },
    );
  }
  if (level === 'client-timeout') {
    return new HoldfastError('ERR_PEER_TIMEOUT', `SSH: ${message}`, { cause: error });
  }
  if (level === 'handshake' || level === 'protocol') {
    return new HoldfastError('ERR_PROTOCOL', `SSH: ${message}`, { cause: error });
  }
  return new HoldfastError('ERR_PEER_LOST', `SSH: ${message}`, { cause: error });
}
