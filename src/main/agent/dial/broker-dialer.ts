import {
  deferred,
  fromErrorRecord,
  HoldfastError,
  limits,
  systemClock,
  wrapError,
} from '../../../shared/common/index.js';
import {
  gitKeySchema,
  httpErrorSchema,
  SIGNALLING_VERSION,
  type BrokerToAgent,
} from '../../../shared/common/wire/index.js';
import { brokerOrigin } from '../../../shared/node/broker-url/index.js';
import { BrokerListener } from './broker-listener.js';
import { openBrokerSocket } from './broker-socket.js';
import type { BrokerDialerOptions, Dialer } from './types.js';

type Welcome = Extract<BrokerToAgent, { type: 'welcome' }>;

/**
 * A dialer for the broker at `brokerUrl`.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT if that is no http(s) address. A dial rejects with
 *   ERR_BROKER_UNREACHABLE, ERR_UNAUTHORIZED, ERR_PEER_AUTH (the broker knows another key),
 *   ERR_PROTOCOL_VERSION, or ERR_CLOSED on abort.
 */
export function createBrokerDialer(options: BrokerDialerOptions): Dialer {
  const { token, identity, sshHostKey, agentVersion, liveShares } = options;
  const origin = brokerOrigin(options.brokerUrl);
  const socketOrigin = origin.replace(/^http/, 'ws');
  const headers = { authorization: `Bearer ${token}` };

  return async ({ signal, logger }) => {
    const welcome = deferred<Welcome>();
    // Settled below in any case; without a reader a late rejection would end the process.
    welcome.promise.catch(() => undefined);
    const listener = new BrokerListener({ relayOrigin: socketOrigin, headers, logger });
    const socket = await openBrokerSocket(`${socketOrigin}/api/v1/agent/listen`, token, signal, {
      message: (message) => {
        if (message.type === 'welcome') welcome.resolve(message);
        else {
          if (message.type === 'error') welcome.reject(fromErrorRecord(message.error));
          listener.receive(message);
        }
      },
      end: (error) => {
        welcome.reject(
          error ?? new HoldfastError('ERR_BROKER_UNREACHABLE', 'the broker closed the link'),
        );
        listener.linkEnded(error);
      },
    });
    listener.use(socket);
    const giveUp = (): void => {
      welcome.reject(new HoldfastError('ERR_CLOSED', 'dial given up'));
    };
    signal.addEventListener('abort', giveUp, { once: true });
    const deadline = systemClock.after(limits.BROKER_REQUEST_MS, () => {
      welcome.reject(new HoldfastError('ERR_BROKER_UNREACHABLE', 'the broker does not answer'));
    });
    if (signal.aborted) giveUp();
    socket.send({
      type: 'hello',
      version: SIGNALLING_VERSION,
      agentVersion,
      agentKey: identity.publicKey,
      sshHostKey,
      shares: [...(liveShares?.() ?? [])],
    });
    try {
      const { metadata, workspaceId, workspace, issuerKeys, hasGitKey } = await welcome.promise;
      return {
        metadata,
        listener,
        workspaceId,
        workspace,
        issuerKeys,
        gitKey: hasGitKey ? () => fetchGitKey(origin, headers) : undefined,
      };
    } catch (error) {
      await listener.close();
      throw error;
    } finally {
      deadline.cancel();
      signal.removeEventListener('abort', giveUp);
    }
  };
}

/** @throws {HoldfastError} ERR_GIT_KEY if there is none any more, ERR_BROKER_UNREACHABLE. */
async function fetchGitKey(
  origin: string,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  try {
    const response = await fetch(`${origin}/api/v1/agent/git-key`, {
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(limits.BROKER_REQUEST_MS),
    });
    const body: unknown = await response.json();
    if (!response.ok) throw fromErrorRecord(httpErrorSchema.parse(body).error);
    return gitKeySchema.parse(body).privateKey;
  } catch (error) {
    throw wrapError(error, 'ERR_BROKER_UNREACHABLE', 'fetch the Git key');
  }
}
