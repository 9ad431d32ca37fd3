import { HoldfastError, once, type Closable, type Logger } from '../../../shared/common/index.js';
import type { VerifiedPeer } from '../peers/types.js';
import { findProgram, type PreparedCommand } from '../process/index.js';
import type { SshServerOptions } from './types.js';
import {
  addCookie,
  openX11Forward,
  parseX11Request,
  removeCookie,
  type OpenX11Options,
  type X11Forward,
  type X11Request,
  type XauthOptions,
} from './x11.js';

export type OpenX11Channel = OpenX11Options['openChannel'];

export interface SessionX11Options {
  readonly server: Pick<SshServerOptions, 'x11Forwarding' | 'xauth' | 'spawnCommand'>;
  readonly logger: Logger;
  readonly peer: Pick<VerifiedPeer, 'permissions'>;
  readonly openX11Channel: OpenX11Channel;
}

/** Where Debian and the X11R6 of old have it, beside the agent's own path. */
const XAUTH_FOLDERS = ['/usr/bin', '/usr/X11R6/bin'];

interface Granted {
  readonly forward: X11Forward;
  readonly request: X11Request;
  /** The program's path. */
  readonly xauth: string;
}

/** What one session has of the client's display: nothing, until it is asked for. */
export class SessionX11 implements Closable {
  readonly #options: SessionX11Options;
  #granted: Granted | undefined;
  #xauth: XauthOptions | undefined;
  #asked = false;
  #gone = false;

  constructor(options: SessionX11Options) {
    this.#options = options;
  }

  /** Takes an `x11-req`. False: refused, with the reason in the log. Never rejects. */
  request(data: unknown): boolean | Promise<boolean> {
    const { server, logger, peer } = this.#options;
    const request = parseX11Request(data);
    const refusal =
      server.x11Forwarding !== true
        ? 'it is off'
        : !peer.permissions.allows('ssh')
          ? 'the ticket does not allow ssh'
          : this.#asked
            ? 'it stands already'
            : request === undefined
              ? 'the cookie is malformed'
              : undefined;
    if (refusal !== undefined || request === undefined) {
      logger.info('x11 forwarding was refused', { reason: refusal ?? '' });
      return false;
    }
    this.#asked = true;
    return this.#open(request).then(
      () => true,
      (error: unknown) => {
        logger.info('x11 forwarding was refused', { error });
        return false;
      },
    );
  }

  async #open(request: X11Request): Promise<void> {
    const { server, logger, openX11Channel } = this.#options;
    const xauth = await findXauth(server.xauth);
    const forward = await openX11Forward({ request, logger, openChannel: openX11Channel });
    this.#granted = { forward, request, xauth };
    // The client left meanwhile.
    if (this.#gone) await forward.close();
  }

  /** `command` with DISPLAY, and the cookie where its programs look for it. */
  async prepare(command: PreparedCommand): Promise<PreparedCommand> {
    if (this.#granted === undefined) return command;
    const { forward, request, xauth } = this.#granted;
    const { server, logger } = this.#options;
    try {
      this.#xauth = { xauth, session: command, spawn: server.spawnCommand };
      await addCookie(forward, request, this.#xauth);
    } catch (error) {
      // As with sshd the session goes on; its programs are refused by the display.
      logger.warn('the x11 cookie could not be stored', { error });
    }
    return { ...command, env: { ...command.env, DISPLAY: forward.display } };
  }

  /** Takes the cookie out again and listens no more; connections that stand live on. Never rejects. */
  readonly close = once(async () => {
    this.#gone = true;
    if (this.#granted === undefined) return;
    const { forward } = this.#granted;
    try {
      // Before the display is free for somebody else, whose cookie would go in its place.
      if (this.#xauth !== undefined) await removeCookie(forward, this.#xauth);
    } catch (error) {
      this.#options.logger.debug('the x11 cookie could not be removed', { error });
    }
    await forward.close();
  });
}

/** @throws {HoldfastError} ERR_UNSUPPORTED if it is not installed. */
async function findXauth(name = 'xauth'): Promise<string> {
  const folders = [process.env['PATH'] ?? '', ...XAUTH_FOLDERS].join(':');
  const found = await findProgram(name, { PATH: folders });
  if (found !== undefined) return found;
  throw new HoldfastError('ERR_UNSUPPORTED', 'xauth is not installed');
}
