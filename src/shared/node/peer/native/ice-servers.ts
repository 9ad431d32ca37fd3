import type { IceServer } from '../../../common/wire/index.js';
import type { NativeIceServer } from './library.js';

const URL =
  /^(stun|turn):(\[[0-9a-fA-F:.]+\]|[^:?[\]]+)(?::([0-9]{1,5}))?(?:\?transport=(udp|tcp))?$/;
const DEFAULT_PORT = 3_478;

/**
 * The servers that the library can use: STUN, and TURN over UDP. Of those it takes the first STUN and two TURN
 * servers.
 */
export function toNativeServers(servers: readonly IceServer[]): NativeIceServer[] {
  return servers.flatMap(({ urls, username, credential }) =>
    [urls].flat().flatMap((url): NativeIceServer[] => {
      const [, scheme, host = '', port, transport] = URL.exec(url) ?? [];
      const address = {
        hostname: host.replace(/^\[|\]$/g, ''),
        port: Number(port ?? DEFAULT_PORT),
      };
      if (scheme === 'stun') return [address];
      if (scheme !== 'turn' || transport === 'tcp') return [];
      if (username === undefined || credential === undefined) return [];
      return [{ ...address, username, password: credential, relayType: 'TurnUdp' }];
    }),
  );
}
