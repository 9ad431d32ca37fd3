import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { HoldfastError, wrapError } from '../../../shared/common/index.js';
import type { Permissions } from '../../../shared/common/wire/index.js';

/** What the agent's configuration says about forwarding. */
export interface ForwardingOptions {
  /**
   * Targets that may be reached, each `host:port` with `*` for any host or any port. Applies to
   * everybody, owners too. Absent: owners reach everything, others everything but link-local addresses.
   */
  readonly allow?: readonly string[] | undefined;
  /** Lets remote forwards listen on addresses other than loopback. */
  readonly gatewayPorts?: boolean | undefined;
}

/** A target that was allowed, with the one address to connect to. */
export interface AllowedTarget {
  readonly host: string;
  readonly port: number;
  /** Resolved once: a name that changes between check and connect must not matter. */
  readonly address: string;
}

/** Where clouds serve their credentials; nobody forwards there by intent. */
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
LINK_LOCAL.addAddress('fd00:ec2::254', 'ipv6');

/**
 * Decides on a TCP target and resolves it.
 * @throws {HoldfastError} ERR_FORBIDDEN, ERR_FORWARD_DENIED, ERR_FORWARD_FAILED.
 */
export async function allowTarget(
  target: { readonly host: string; readonly port: number },
  permissions: Permissions,
  { allow }: ForwardingOptions,
): Promise<AllowedTarget> {
  permissions.require('forward');
  const { host, port } = target;
  if (port < 1 || port > 65_535) {
    throw new HoldfastError('ERR_FORWARD_DENIED', `${port} is not a port`);
  }
  if (allow !== undefined && !allow.some((pattern) => matches(pattern, host, port))) {
    throw denied(`${host}:${port}`);
  }
  const address = await resolveHost(host);
  if (allow === undefined && !permissions.isOwner() && isLinkLocal(address)) {
    throw denied(`${host}:${port}`);
  }
  return { host, port, address };
}

/**
 * Decides on a unix socket, to reach or to listen on. Sockets such as Docker's are worth the whole
 * machine, so they are for owners, or for those whom the allow-list names with `unix:PATH`.
 * @throws {HoldfastError} ERR_FORBIDDEN, ERR_FORWARD_DENIED.
 */
export function allowSocketPath(
  path: string,
  permissions: Permissions,
  { allow }: ForwardingOptions,
): void {
  permissions.require('forward');
  if (path === '' || path.includes('\0')) throw denied('a socket path that cannot be');
  const listed = allow?.includes(`unix:${path}`) ?? permissions.isOwner();
  if (!listed) throw denied(path);
}

/**
 * Addresses that a remote forward listens on. Without `gatewayPorts` it is loopback whatever the client
 * asks for, as OpenSSH does; the second one is used if the system has it.
 * @throws {HoldfastError} ERR_FORBIDDEN, ERR_FORWARD_DENIED.
 */
export function listenAddresses(
  host: string,
  port: number,
  permissions: Permissions,
  { gatewayPorts }: ForwardingOptions,
): readonly [string, ...string[]] {
  permissions.require('forward');
  if (port > 65_535) throw new HoldfastError('ERR_FORWARD_DENIED', `${port} is not a port`);
  if (port !== 0 && port < 1_024 && !permissions.isOwner()) {
    throw denied(`port ${port}, which is for system services,`);
  }
  if (gatewayPorts === true) {
    if (host === '' || host === '*') return ['::', '0.0.0.0'];
    if (host !== 'localhost') return [host];
  }
  return ['127.0.0.1', '::1'];
}

function matches(pattern: string, host: string, port: number): boolean {
  const colon = pattern.lastIndexOf(':');
  const [hosts, ports] = [pattern.slice(0, colon), pattern.slice(colon + 1)];
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const hostMatches = hosts === '*' || hosts.replace(/^\[(.*)\]$/, '$1').toLowerCase() === bare;
  return hostMatches && (ports === '*' || ports === String(port));
}

async function resolveHost(host: string): Promise<string> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0) return bare;
  try {
    return (await lookup(bare)).address;
  } catch (error) {
    throw wrapError(error, 'ERR_FORWARD_FAILED', `resolve ${host}`);
  }
}

function isLinkLocal(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return LINK_LOCAL.check(mapped, 'ipv4');
  return LINK_LOCAL.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function denied(what: string): HoldfastError {
  return new HoldfastError('ERR_FORWARD_DENIED', `forwarding to ${what} is not allowed`);
}
