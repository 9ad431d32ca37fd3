import type { Server } from 'node:net';
import {
  HoldfastError,
  limits,
  once,
  type Closable,
  type Logger,
} from '../../../shared/common/index.js';
import { listen, type ForwardedConnection } from '../forwarding/index.js';
import type { PreparedCommand, SpawnedCommand } from '../process/index.js';
import type { SshChannel } from './channel.js';
import { offerSocket } from './offer-socket.js';

/** What a client asks for with `x11-req` (RFC 4254 section 6.3.1). */
export interface X11Request {
  /** Only one connection is to be forwarded. */
  readonly single: boolean;
  /** Name of the authorization protocol, nearly always MIT-MAGIC-COOKIE-1. */
  readonly protocol: string;
  /** In hex. Made up by the client, which puts the true one of its display in its place. */
  readonly cookie: string;
  readonly screen: number;
}

/** A display in the workspace whose programs show on the client's. */
export interface X11Forward extends Closable {
  /** For DISPLAY. */
  readonly display: string;
  /** Its name in the authority file. */
  readonly authority: string;
}

/** Display `:0` is at this port. */
const FIRST_PORT = 6_000;
/** Both loopback addresses: whoever had only one of them could pose as the display (CVE-2008-1483). */
const ADDRESSES = ['127.0.0.1', '::1'] as const;

/** Reads what ssh2 made of an `x11-req`. Absent: it holds what cannot be handed to xauth. */
export function parseX11Request(data: unknown): X11Request | undefined {
  const { single, protocol, cookie, screen } = data as {
    readonly single: boolean;
    readonly protocol: string;
    readonly cookie: Uint8Array;
    readonly screen: number;
  };
  const hex = Buffer.from(cookie).toString('latin1');
  if (!isWord(protocol) || !isWord(hex)) return undefined;
  return { single, protocol, cookie: hex, screen };
}

/** One word of a line of xauth's, with nothing in it that could begin another. */
function isWord(text: string): boolean {
  return text.length <= limits.X11_COOKIE_CHARACTERS && /^[A-Za-z0-9.:/_-]+$/.test(text);
}

export interface OpenX11Options {
  readonly request: X11Request;
  readonly logger: Logger;
  readonly openChannel: (origin: {
    readonly originAddr: string;
    readonly originPort: number;
  }) => Promise<SshChannel>;
}

/**
 * Takes the lowest display that is free and makes a channel to the client of each connection to it.
 * @throws {HoldfastError} ERR_FORWARD_FAILED if none is free.
 */
export async function openX11Forward(options: OpenX11Options): Promise<X11Forward> {
  const { request, logger, openChannel } = options;
  const close = once(async () => {
    for (const server of servers) server.close();
    await Promise.resolve();
  });
  let servers: readonly Server[] = [];
  const onConnection = ({ socket, originAddress, originPort }: ForwardedConnection): void => {
    if (request.single) void close();
    const open = (): Promise<SshChannel> => openChannel({ originAddr: originAddress, originPort });
    offerSocket(socket, open, (error) => {
      logger.debug('an x11 connection was refused', { error });
    });
  };
  for (let offset = 0; offset < limits.X11_DISPLAYS; offset += 1) {
    const display = limits.X11_FIRST_DISPLAY + offset;
    const taken = await listenEverywhere(FIRST_PORT + display, onConnection);
    if (taken === undefined) continue;
    servers = taken;
    const name = `${String(display)}.${String(request.screen)}`;
    return { display: `localhost:${name}`, authority: `unix:${name}`, close };
  }
  throw new HoldfastError('ERR_FORWARD_FAILED', 'all displays for forwarding are taken');
}

/** On every loopback address that this machine has. Absent: somebody has the port on one of them. */
async function listenEverywhere(
  port: number,
  onConnection: (connection: ForwardedConnection) => void,
): Promise<readonly Server[] | undefined> {
  const servers: Server[] = [];
  for (const host of ADDRESSES) {
    try {
      const options = { host, port, exclusive: true };
      servers.push(await listen(options, `${host}:${String(port)}`, onConnection));
    } catch (error) {
      const { code } = (error as HoldfastError).cause as NodeJS.ErrnoException;
      // No IPv6 here.
      if (servers.length > 0 && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) continue;
      for (const server of servers) server.close();
      if (code === 'EADDRINUSE' || code === 'EACCES') return undefined;
      throw error;
    }
  }
  return servers;
}

/** How xauth is run: as the session's command is, with the same home. */
export interface XauthOptions {
  readonly xauth: string;
  readonly session: Pick<PreparedCommand, 'env' | 'cwd'>;
  readonly spawn: (command: PreparedCommand) => Promise<SpawnedCommand>;
}

/** Puts the client's cookie into the user's authority file, in place of an older one of the same display. */
export function addCookie(
  { authority }: X11Forward,
  { protocol, cookie }: X11Request,
  options: XauthOptions,
): Promise<void> {
  return runXauth(`remove ${authority}\nadd ${authority} ${protocol} ${cookie}\n`, options);
}

/** Takes it out again. */
export function removeCookie({ authority }: X11Forward, options: XauthOptions): Promise<void> {
  return runXauth(`remove ${authority}\n`, options);
}

/** The cookie goes by a pipe: arguments can be read by everybody. @throws {HoldfastError} ERR_FORWARD_FAILED. */
async function runXauth(script: string, options: XauthOptions): Promise<void> {
  const { env, cwd } = options.session;
  const running = await options.spawn({ file: options.xauth, args: ['-q', '-'], env, cwd });
  running.stdout.resume();
  running.stderr.resume();
  running.stdin.end(script);
  const timer = setTimeout(() => void running.end(), limits.X11_XAUTH_MS);
  const exit = await running.exited;
  clearTimeout(timer);
  await running.end();
  if (exit.kind !== 'status' || exit.status !== 0) {
    throw new HoldfastError('ERR_FORWARD_FAILED', 'xauth did not take the cookie');
  }
}
