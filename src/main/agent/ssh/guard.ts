import { limits } from '../../../shared/common/index.js';
import type { TerminalModes } from '../../../shared/node/pty/index.js';
import { DISCONNECT, MESSAGE } from './internals.js';
import { takeTerminalModes } from './pty-request.js';

/** What to do with a packet of the client, before ssh2 sees it. */
export type Verdict =
  | { readonly type: 'pass'; readonly payload: Buffer; readonly modes?: TerminalModes | undefined }
  /** RFC 4252 section 5.1: authentication requests after the success are silently ignored. */
  | { readonly type: 'ignore' }
  /** RFC 4253 section 11.4: answered with UNIMPLEMENTED. */
  | { readonly type: 'unknown' }
  | { readonly type: 'disconnect'; readonly reason: number; readonly text: string };

const IGNORE: Verdict = { type: 'ignore' };
const UNKNOWN: Verdict = { type: 'unknown' };

/**
 * Looks at every packet outside a key exchange. Before authentication only what leads to it is let
 * through; a channel or global request then ends the connection (RFC 4252 section 6), as servers that
 * merely refused them have been broken into by the one handler that forgot to.
 */
export class PacketGuard {
  #attempts = 0;

  inspect(payload: Buffer, authenticated: boolean): Verdict {
    const type = payload[0] ?? MESSAGE.IGNORE;
    if (isTransport(type)) return { type: 'pass', payload };
    return authenticated ? this.#afterAuthentication(type, payload) : this.#before(type, payload);
  }

  #before(type: number, payload: Buffer): Verdict {
    if (type === MESSAGE.SERVICE_REQUEST) return { type: 'pass', payload };
    if (type !== MESSAGE.USERAUTH_REQUEST) return protocolError(type);
    this.#attempts += 1;
    if (this.#attempts > limits.SSH_AUTH_ATTEMPTS) {
      return {
        type: 'disconnect',
        reason: DISCONNECT.NO_MORE_AUTH_METHODS,
        text: 'too many authentication attempts',
      };
    }
    return { type: 'pass', payload };
  }

  #afterAuthentication(type: number, payload: Buffer): Verdict {
    if (type === MESSAGE.USERAUTH_REQUEST) return IGNORE;
    if (type > MESSAGE.USERAUTH_REQUEST && type <= MESSAGE.USERAUTH_LAST)
      return protocolError(type);
    if (type === MESSAGE.SERVICE_REQUEST) return protocolError(type);
    if (!isConnection(type)) return UNKNOWN;
    const taken = takeTerminalModes(payload);
    return taken === undefined
      ? { type: 'pass', payload }
      : { type: 'pass', payload: taken.payload, modes: taken.modes };
  }
}

function isTransport(type: number): boolean {
  return (
    (type >= MESSAGE.DISCONNECT && type <= MESSAGE.DEBUG) ||
    type === MESSAGE.EXT_INFO ||
    (type >= MESSAGE.KEXINIT && type <= MESSAGE.KEX_LAST)
  );
}

function isConnection(type: number): boolean {
  return (
    (type >= MESSAGE.GLOBAL_REQUEST && type <= MESSAGE.REQUEST_FAILURE) ||
    (type >= MESSAGE.CHANNEL_OPEN && type <= MESSAGE.CHANNEL_FAILURE)
  );
}

function protocolError(type: number): Verdict {
  return {
    type: 'disconnect',
    reason: DISCONNECT.PROTOCOL_ERROR,
    text: `message ${String(type)} is not allowed here`,
  };
}
