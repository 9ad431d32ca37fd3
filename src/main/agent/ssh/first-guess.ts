import { PayloadReader, type Ssh2Protocol } from './internals.js';

/** The parts of ssh2's key exchange that this file reads, once a KEXINIT of the client has been taken. */
interface Negotiation {
  readonly _kex?: { readonly _remoteKexinit?: Buffer | undefined } | undefined;
  readonly _offer: {
    readonly lists: Readonly<
      Record<'kex' | 'serverHostKey', { readonly array: readonly string[] }>
    >;
  };
}

/** Before the lists of a KEXINIT: message number and cookie (RFC 4253 section 7.1). */
const LISTS_AT = 17;

/**
 * Lets clients in that send the first packet of the key exchange before they know which one it will be
 * (`first_kex_packet_follows`), such as dropbear's. That packet must be dropped exactly if the guess was wrong.
 * ssh2 compares it with a letter of the name instead of the name, so it also drops those that were right, and
 * then both sides wait.
 */
export function repairFirstGuess(protocol: Ssh2Protocol): void {
  let follows = false;
  Object.defineProperty(protocol, '_skipNextInboundPacket', {
    // Read for each packet of a key exchange, KEXINIT itself included; set only while one is taken.
    get: () => {
      if (!follows) return false;
      follows = !isRightGuess(protocol as unknown as Negotiation);
      return follows;
    },
    set: (value: boolean) => {
      follows = value;
    },
  });
}

/** RFC 4253 section 7: it is right if both sides prefer the same key exchange and the same host key. */
function isRightGuess({ _kex, _offer }: Negotiation): boolean {
  if (_kex?._remoteKexinit === undefined) return false;
  const reader = new PayloadReader(_kex._remoteKexinit, LISTS_AT);
  const [kex, hostKey] = [reader.string(), reader.string()].map(
    (list) => list?.toString('latin1').split(',')[0],
  );
  const { lists } = _offer;
  return kex === lists.kex.array[0] && hostKey === lists.serverHostKey.array[0];
}
