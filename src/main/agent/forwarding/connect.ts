import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { HoldfastError, limits, wrapError } from '../../../shared/common/index.js';

/**
 * Connects a socket that stays half-open, for {@link splice}.
 * @throws {HoldfastError} ERR_FORWARD_FAILED, also when it takes longer than FORWARD_CONNECT_MS or the
 *   signal aborts.
 */
export function connectSocket(
  options: NetConnectOpts,
  what: string,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...options, allowHalfOpen: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      socket.off('connect', onConnect);
    };
    const fail = (error: HoldfastError): void => {
      settle();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onError = (error: Error): void => {
      fail(wrapError(error, 'ERR_FORWARD_FAILED', `connect to ${what}`));
    };
    const onAbort = (): void => {
      fail(new HoldfastError('ERR_CLOSED', 'the connection of the client ended'));
    };
    const onConnect = (): void => {
      settle();
      // Until somebody splices it, a reset must not be an unhandled event.
      socket.on('error', () => undefined);
      resolve(socket);
    };
    const timer = setTimeout(() => {
      fail(new HoldfastError('ERR_FORWARD_FAILED', `connect to ${what}: no answer`));
    }, limits.FORWARD_CONNECT_MS);
    socket.once('error', onError);
    socket.once('connect', onConnect);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
