import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { HoldfastError } from '../../../shared/common/index.js';

/** A host and port as in a Host header. Brackets mark an IPv6 address. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

export interface SitesOptions {
  readonly scheme: 'http' | 'https';
  /** Address it listens on. */
  readonly host: string;
  /** Origin that browsers use, if another. */
  readonly publicUrl: string | undefined;
}

/**
 * Under which names the broker may be addressed, and which pages may talk to it. Guards against DNS
 * rebinding (a foreign name that resolves to us) and cross-site WebSocket hijacking: browsers let any page
 * open a WebSocket to anywhere, so nothing but an exact comparison of the origin keeps them out.
 */
export class Sites {
  readonly #scheme: string;
  readonly #hosts: ReadonlySet<string>;
  readonly #publicOrigin: string | undefined;
  readonly #publicHost: string | undefined;

  constructor({ scheme, host, publicUrl }: SitesOptions) {
    this.#scheme = scheme;
    this.#hosts = new Set([...LOOPBACK, host.includes(':') ? `[${host}]` : host.toLowerCase()]);
    this.#publicOrigin = publicUrl;
    this.#publicHost = publicUrl === undefined ? undefined : new URL(publicUrl).host;
  }

  /**
   * @throws {HoldfastError} ERR_FORBIDDEN if the request names a host that is not ours, or comes from a
   *   page of another origin. A request without Origin is no page's; its credential has to do.
   */
  check(request: Pick<IncomingMessage, 'headers'>): void {
    const { host, origin } = request.headers;
    if (host === undefined || !this.#isOurHost(host))
      throw new HoldfastError('ERR_FORBIDDEN', 'this broker is not known under that host name', {
        hint: 'Start the broker with --public-url set to the address in use.',
      });
    if (origin !== undefined && !this.#isOurOrigin(origin, host))
      throw new HoldfastError('ERR_FORBIDDEN', 'requests from pages of other origins are refused');
  }

  /**
   * Any port is fine, since a forwarded port still leads here. So is any address in numbers: rebinding
   * needs a name.
   */
  #isOurHost(header: string): boolean {
    if (header === this.#publicHost) return true;
    const name = HOST.exec(header)?.[1];
    if (name === undefined) return false;
    return this.#hosts.has(name) || isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  }

  /** Exact, as browsers write it. The Host was checked first, so a page of that very site is ours. */
  #isOurOrigin(origin: string, host: string): boolean {
    return origin === this.#publicOrigin || origin === `${this.#scheme}://${host}`;
  }
}
