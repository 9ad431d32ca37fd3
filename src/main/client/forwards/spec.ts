import { HoldfastError } from '../../../shared/common/index.js';

/** One end of a forward. `host` is without brackets. */
export type ForwardEnd =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** One `-L` or `-R`. */
export interface ForwardSpec {
  /** `local`: this side listens and the agent's side connects; `remote`: the other way round. */
  readonly direction: 'local' | 'remote';
  /** `host` empty: every address; `localhost`: the loopback ones, the default. */
  readonly listen: ForwardEnd;
  readonly connect: ForwardEnd;
}

/**
 * Reads the argument of `-L` or `-R` as OpenSSH does (ssh(1)): `[bind:]port:host:hostport`,
 * `[bind:]port:socket`, `socket:host:hostport`, `socket:socket`; IPv6 in brackets; a field with a slash
 * is a socket. An empty bind address or `*` is every address.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT
 */
export function parseForward(direction: 'local' | 'remote', text: string): ForwardSpec {
  const letter = direction === 'local' ? '-L' : '-R';
  const bad = (why: string): HoldfastError =>
    new HoldfastError('ERR_INVALID_ARGUMENT', `${letter} ${JSON.stringify(text)}: ${why}`, {
      hint: `Write it as ${letter} [BIND:]PORT:HOST:HOSTPORT, IPv6 in brackets; a path stands for a socket.`,
    });
  const fields = splitFields(text);
  if (fields === undefined) throw bad('brackets do not match');
  const [first = '', second = '', third = '', fourth = ''] = fields;

  const port = (field: string, least: 0 | 1): number => {
    const value = /^[0-9]{1,5}$/.test(field) ? Number(field) : Number.NaN;
    if (!(value >= least && value <= 65_535)) throw bad(`${JSON.stringify(field)} is not a port`);
    return value;
  };
  const listenTcp = (bind: string | undefined, portField: string): ForwardEnd => ({
    kind: 'tcp',
    host: bind === undefined ? 'localhost' : bind === '*' ? '' : bind,
    port: port(portField, 0),
  });
  const connectTcp = (host: string, portField: string): ForwardEnd => {
    if (host === '') throw bad('the host to connect to is missing');
    return { kind: 'tcp', host, port: port(portField, 1) };
  };
  const unix = (path: string): ForwardEnd => ({ kind: 'unix', path });

  switch (fields.length) {
    case 2:
      if (!isPath(second)) throw bad('what to connect to is missing');
      return {
        direction,
        listen: isPath(first) ? unix(first) : listenTcp(undefined, first),
        connect: unix(second),
      };
    case 3:
      if (isPath(first)) {
        return { direction, listen: unix(first), connect: connectTcp(second, third) };
      }
      if (isPath(third)) {
        return { direction, listen: listenTcp(first, second), connect: unix(third) };
      }
      return { direction, listen: listenTcp(undefined, first), connect: connectTcp(second, third) };
    case 4:
      return { direction, listen: listenTcp(first, second), connect: connectTcp(third, fourth) };
    default:
      throw bad(fields.length === 1 ? 'what to connect to is missing' : 'too many fields');
  }
}

/** `end` as people write it. */
export function formatEnd(end: ForwardEnd): string {
  if (end.kind === 'unix') return end.path;
  const host = end.host === '' ? '*' : end.host.includes(':') ? `[${end.host}]` : end.host;
  return `${host}:${String(end.port)}`;
}

function isPath(field: string): boolean {
  return field.includes('/');
}

/** Splits at colons outside brackets and takes the brackets off. Absent: they do not match. */
function splitFields(text: string): string[] | undefined {
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    if (rest.startsWith('[')) {
      const close = rest.indexOf(']');
      const after = rest[close + 1];
      if (close === -1 || (after !== undefined && after !== ':')) return undefined;
      fields.push(rest.slice(1, close));
      if (after === undefined) return fields;
      rest = rest.slice(close + 2);
    } else {
      const colon = rest.indexOf(':');
      if (colon === -1) return [...fields, rest];
      fields.push(rest.slice(0, colon));
      rest = rest.slice(colon + 1);
    }
  }
}
