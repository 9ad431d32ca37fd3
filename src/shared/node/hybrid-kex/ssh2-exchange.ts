import { answerHybrid, beginHybrid } from './mlkem-x25519.js';

/** Name of the key exchange (draft-ietf-sshm-mlkem-hybrid-kex). */
export const HYBRID_KEX = 'mlkem768x25519-sha256';

/** The exchange of ssh2 that has the same messages and the same hash; what differs is put in its place. */
const STAND_IN = 'curve25519-sha256';
const STAND_IN_TYPE = '25519';
/** In place of a method that was not agreed on; nobody has one of this name. */
const OTHER = 'other@holdfast';
/** Not methods, but what a side can do besides (RFC 8308, OpenSSH PROTOCOL 1.9). */
const MARKER = /^(?:ext-info-[cs]|kex-strict-[cs]-.*)$/;

const MESSAGE_KEXINIT = 20;
/** Message number and cookie stand before the lists. */
const LISTS_AT = 17;
const LISTS = 10;

interface NameList {
  readonly array: readonly string[];
}

interface Directed {
  readonly cipher: NameList;
  readonly mac: NameList;
  readonly compress: NameList;
  readonly lang: NameList;
}

/** What a side offers, as ssh2 holds it. */
interface Offer {
  readonly lists: {
    readonly kex: NameList;
    readonly serverHostKey: NameList;
    readonly cs: Directed;
    readonly sc: Directed;
  };
}

/** A key exchange under way. */
interface Exchange {
  type: string;
  readonly negotiated: { kex: string };
  _remoteKexinit: Buffer | undefined;
  getPublicKey(): Buffer;
  convertPublicKey(key: Buffer): Buffer;
  computeSecret(otherKey: Buffer): Buffer | Error;
}

type OnPayload = (payload: Buffer) => unknown;

/** The inner parts of an ssh2 protocol, server or client, that this file stands on; those of 1.17.0. */
interface Protocol {
  readonly _server: boolean;
  _offer: Offer;
  _kex: Exchange | undefined;
  _onPayload: OnPayload;
  _onHeader: (header: unknown) => void;
  readonly _decipher: { _onPayload: OnPayload } | undefined;
  _skipNextInboundPacket: boolean;
}

/**
 * Makes one connection of ssh2 offer {@link HYBRID_KEX} before all that it offers already, and do it where both
 * sides can; else nothing changes. ssh2 chooses among methods of its own in one closed function, so it is shown a
 * KEXINIT in which the other side asks for `curve25519-sha256` at that place, and the exchange that it then makes
 * gets the hybrid's computation, and the true KEXINIT back, which goes into the exchange hash. Holds for every later
 * change of keys as well. Nothing of ssh2 is changed but this one connection.
 * @param protocol of a connection that has not sent its KEXINIT yet: of a client at once after `connect`, of a
 *   server's in its `connection` event. It must offer `curve25519-sha256`.
 * @throws {TypeError} if ssh2 looks different from what is known.
 */
export function offerHybridKex(protocol: object): void {
  const connection = protocol as Protocol;
  checkShape(connection);
  connection._offer = withHybrid(connection._offer);
  /** The KEXINIT as it came, until ssh2 has made its exchange. Absent: the hybrid was not agreed on. */
  let remote: Buffer | undefined;

  const wrap =
    (inner: OnPayload): OnPayload =>
    (payload) => {
      const kexinit = readKexinit(payload);
      if (kexinit === undefined) return inner(payload);
      remote = isAgreed(kexinit, connection) ? payload : undefined;
      const verdict = inner(remote === undefined ? payload : standIn(payload, kexinit));
      // ssh2 compares with the first letter of the method's name, so that every guess is wrong.
      connection._skipNextInboundPacket = isWrongGuess(kexinit, connection);
      return verdict;
    };

  // What comes between the first handshake and the end of the connection, later KEXINITs among it.
  connection._onPayload = wrap(connection._onPayload);
  const wrapFirstHandshake = (): void => {
    const { _decipher: decipher } = connection;
    if (decipher === undefined) throw new TypeError('ssh2 has no decipher after the header');
    decipher._onPayload = wrap(decipher._onPayload);
  };
  if (connection._decipher !== undefined) {
    wrapFirstHandshake();
  } else {
    const onHeader = connection._onHeader;
    connection._onHeader = (header) => {
      wrapFirstHandshake();
      onHeader(header);
    };
  }

  // ssh2 makes an exchange, puts it here and starts it, all in one go: a client's first packet leaves then.
  let exchange: Exchange | undefined;
  Object.defineProperty(connection, '_kex', {
    configurable: true,
    enumerable: true,
    get: () => exchange,
    set: (made: Exchange | undefined) => {
      if (made !== undefined && remote !== undefined) {
        made._remoteKexinit = remote;
        remote = undefined;
        makeHybrid(made, connection._server);
      }
      exchange = made;
    },
  });
}

function checkShape({ _server, _offer, _onPayload, _onHeader }: Protocol): void {
  if (
    typeof _server !== 'boolean' ||
    typeof _onPayload !== 'function' ||
    typeof _onHeader !== 'function' ||
    !Array.isArray(_offer?.lists?.kex?.array) ||
    !_offer.lists.kex.array.includes(STAND_IN)
  ) {
    throw new TypeError('the inner parts of ssh2 are not as expected');
  }
}

/** `offer` with the hybrid first. A new one, since all connections of a server share theirs. */
function withHybrid(offer: Offer): Offer {
  const { lists } = offer;
  const directed = ({ cipher, mac, compress, lang }: Directed): object => ({
    cipher: cipher.array,
    mac: mac.array,
    compress: compress.array,
    lang: lang.array,
  });
  const KexInit = offer.constructor as new (lists: object) => Offer;
  return new KexInit({
    kex: [HYBRID_KEX, ...lists.kex.array],
    serverHostKey: lists.serverHostKey.array,
    cs: directed(lists.cs),
    sc: directed(lists.sc),
  });
}

/** What is looked at in a KEXINIT (RFC 4253 section 7.1). */
interface Kexinit {
  readonly methods: readonly string[];
  readonly hostKeys: readonly string[];
  /** Where the list of methods ends. */
  readonly methodsEnd: number;
  readonly guessFollows: boolean;
}

/** Absent: another packet, or one that is cut short, over which ssh2 ends the connection. */
function readKexinit(payload: Buffer): Kexinit | undefined {
  if (payload[0] !== MESSAGE_KEXINIT) return undefined;
  const lists: string[][] = [];
  const ends: number[] = [];
  let at = LISTS_AT;
  while (lists.length < LISTS) {
    if (payload.length < at + 4) return undefined;
    const end = at + 4 + payload.readUInt32BE(at);
    if (payload.length < end) return undefined;
    lists.push(payload.toString('latin1', at + 4, end).split(','));
    ends.push(end);
    at = end;
  }
  const [methods = [], hostKeys = []] = lists;
  return { methods, hostKeys, methodsEnd: ends[0] ?? 0, guessFollows: payload[at] === 1 };
}

/** Whether RFC 4253 section 7.1 makes the hybrid of both lists: the client's first that the server has. */
function isAgreed({ methods }: Kexinit, { _server, _offer }: Protocol): boolean {
  const ours = _offer.lists.kex.array;
  const [wanted, possible] = _server ? [methods, ours] : [ours, methods];
  return wanted.find((name) => possible.includes(name)) === HYBRID_KEX;
}

/**
 * Whether a packet follows that was sent ahead on a guess and does not count: one is right if both sides prefer the
 * same method and kind of host key (RFC 4253 section 7).
 */
function isWrongGuess({ methods, hostKeys, guessFollows }: Kexinit, { _offer }: Protocol): boolean {
  const { kex, serverHostKey } = _offer.lists;
  return guessFollows && (methods[0] !== kex.array[0] || hostKeys[0] !== serverHostKey.array[0]);
}

/** The KEXINIT to show to ssh2. */
function standIn(payload: Buffer, { methods, methodsEnd }: Kexinit): Buffer {
  const names = methods.map((name) => {
    if (name === HYBRID_KEX) return STAND_IN;
    return MARKER.test(name) ? name : OTHER;
  });
  const list = Buffer.from(names.join(','), 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(list.length);
  return Buffer.concat([payload.subarray(0, LISTS_AT), length, list, payload.subarray(methodsEnd)]);
}

/** Puts the hybrid's computation into an exchange. ssh2 writes and hashes all four values as strings. */
function makeHybrid(exchange: Exchange, server: boolean): void {
  if (exchange.type !== STAND_IN_TYPE) throw new TypeError('ssh2 made another exchange');
  exchange.type = HYBRID_KEX;
  exchange.negotiated.kex = HYBRID_KEX;
  // Both as they are; other methods write them as numbers.
  exchange.convertPublicKey = (key) => key;
  const own = server ? serverSide() : clientSide();
  exchange.getPublicKey = own.publicKey;
  exchange.computeSecret = (otherKey) => {
    try {
      return own.secret(otherKey);
    } catch (error) {
      // ssh2 ends the connection with what it is given.
      return error instanceof Error ? error : new Error(String(error));
    }
  };
}

interface Side {
  readonly publicKey: () => Buffer;
  readonly secret: (otherKey: Buffer) => Buffer;
}

/** ssh2's server asks for the secret first. */
function serverSide(): Side {
  let reply: Buffer | undefined;
  return {
    publicKey: () => {
      if (reply === undefined) throw new TypeError('ssh2 wants a reply before the secret');
      return reply;
    },
    secret: (init) => {
      const answer = answerHybrid(init);
      reply = answer.reply;
      return answer.secret;
    },
  };
}

function clientSide(): Side {
  const { init, finish } = beginHybrid();
  return { publicKey: () => init, secret: finish };
}
