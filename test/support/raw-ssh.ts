import assert from 'node:assert/strict';
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  randomBytes,
  verify,
} from 'node:crypto';
import type { Duplex } from 'node:stream';

const IDENT = 'SSH-2.0-ByHand_1';
const TAG_BYTES = 16;
const BLOCK_BYTES = 16;
/** SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410). */
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export const NUMBER = {
  DISCONNECT: 1,
  SERVICE_REQUEST: 5,
  SERVICE_ACCEPT: 6,
  EXT_INFO: 7,
  KEXINIT: 20,
  NEWKEYS: 21,
  ECDH_INIT: 30,
  ECDH_REPLY: 31,
} as const;

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A string of RFC 4251 section 5. */
export const sshString = (value: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(value as Uint8Array);
  return Buffer.concat([uint32(bytes.length), bytes]);
};

/** The strings that `payload` holds from `at` on. */
export function readStrings(payload: Buffer, at: number, count: number): Buffer[] {
  const strings: Buffer[] = [];
  let next = at;
  while (strings.length < count) {
    const length = payload.readUInt32BE(next);
    strings.push(payload.subarray(next + 4, next + 4 + length));
    next += 4 + length;
  }
  return strings;
}

interface Keys {
  readonly key: Buffer;
  readonly iv: Buffer;
}

/**
 * The client's side of RFC 4253 with aes128-gcm and an Ed25519 host key, written from the documents alone: it shares
 * no line with the server that it talks to. It does what the test says, wrong things too.
 */
export class RawSsh {
  readonly #stream: Duplex;
  readonly #chunks: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);
  #out: Keys | undefined;
  #in: Keys | undefined;
  #serverIdent = '';
  #kexinit: Buffer = Buffer.alloc(0);
  #serverKexinit: Buffer = Buffer.alloc(0);

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Exchanges identification lines and KEXINITs. Returns the server's key exchange methods. */
  async begin(kex: readonly string[], { guessed = false } = {}): Promise<string[]> {
    this.#stream.write(`${IDENT}\r\n`);
    while (!this.#buffer.includes('\n')) await this.#more();
    const end = this.#buffer.indexOf('\n');
    this.#serverIdent = this.#buffer.toString('latin1', 0, end).trimEnd();
    this.#buffer = this.#buffer.subarray(end + 1);
    const cipher = 'aes128-gcm@openssh.com';
    const mac = 'hmac-sha2-256-etm@openssh.com';
    const lists = [kex.join(','), 'ssh-ed25519', cipher, cipher, mac, mac, 'none', 'none', '', ''];
    this.#kexinit = Buffer.concat([
      Buffer.from([NUMBER.KEXINIT]),
      randomBytes(16),
      ...lists.map((list) => sshString(list)),
      Buffer.from([guessed ? 1 : 0]),
      uint32(0),
    ]);
    this.send(this.#kexinit);
    this.#serverKexinit = await this.receive(NUMBER.KEXINIT);
    return (readStrings(this.#serverKexinit, 17, 1)[0] ?? '').toString('latin1').split(',');
  }

  /**
   * Sends `init` and ends the exchange with what `finish` makes of the reply: the shared secret as it stands in the
   * hash, its length included. Checks the host's signature.
   */
  async exchange(
    init: Uint8Array,
    finish: (reply: Buffer) => Buffer,
    hostKey: string,
  ): Promise<void> {
    this.send(Buffer.concat([Buffer.from([NUMBER.ECDH_INIT]), sshString(init)]));
    const payload = await this.receive(NUMBER.ECDH_REPLY);
    const [host = '', reply = Buffer.alloc(0), signature = Buffer.alloc(0)] = readStrings(
      payload,
      1,
      3,
    );
    assert.equal(Buffer.from(host as Buffer).toString('base64'), hostKey.split(' ')[1]);
    const secret = finish(reply);
    const hash = createHash('sha256');
    const hashed = [
      IDENT,
      this.#serverIdent,
      this.#kexinit,
      this.#serverKexinit,
      host,
      init,
      reply,
    ];
    for (const part of hashed) hash.update(sshString(part));
    const exchangeHash = hash.update(secret).digest();
    const [raw = Buffer.alloc(0)] = readStrings(host as Buffer, 4 + 'ssh-ed25519'.length, 1);
    const [kind = Buffer.alloc(0), bytes = Buffer.alloc(0)] = readStrings(signature, 0, 2);
    assert.equal(kind.toString(), 'ssh-ed25519');
    const key = createPublicKey({
      key: Buffer.concat([ED25519_PREFIX, raw]),
      format: 'der',
      type: 'spki',
    });
    assert.ok(verify(null, exchangeHash, key, bytes), 'the host signed another hash');
    this.send(Buffer.from([NUMBER.NEWKEYS]));
    await this.receive(NUMBER.NEWKEYS);
    const derive = (letter: string, length: number): Buffer =>
      createHash('sha256')
        .update(secret)
        .update(exchangeHash)
        .update(letter)
        .update(exchangeHash)
        .digest()
        .subarray(0, length);
    this.#out = { iv: derive('A', 12), key: derive('C', 16) };
    this.#in = { iv: derive('B', 12), key: derive('D', 16) };
  }

  send(payload: Uint8Array): void {
    // The length of a sealed packet stays readable and is not part of its blocks (RFC 5647).
    const outside = this.#out === undefined ? 0 : 4;
    const unpadded = 4 - outside + 1 + payload.length;
    let padding = BLOCK_BYTES - (unpadded % BLOCK_BYTES);
    if (padding < 4) padding += BLOCK_BYTES;
    const body = Buffer.concat([Buffer.from([padding]), payload, randomBytes(padding)]);
    const length = uint32(body.length);
    if (this.#out === undefined) {
      this.#stream.write(Buffer.concat([length, body]));
      return;
    }
    const cipher = createCipheriv('aes-128-gcm', this.#out.key, this.#out.iv);
    cipher.setAAD(length);
    const sealed = Buffer.concat([cipher.update(body), cipher.final()]);
    this.#stream.write(Buffer.concat([length, sealed, cipher.getAuthTag()]));
    count(this.#out.iv);
  }

  /** The next packet, which must have this number. */
  async receive(number: number): Promise<Buffer> {
    const payload = await this.#packet();
    assert.equal(payload[0], number, `unexpected ${payload.toString('latin1')}`);
    return payload;
  }

  async #packet(): Promise<Buffer> {
    while (this.#buffer.length < 4) await this.#more();
    const size = this.#buffer.readUInt32BE();
    const whole = 4 + size + (this.#in === undefined ? 0 : TAG_BYTES);
    while (this.#buffer.length < whole) await this.#more();
    const packet = this.#buffer.subarray(0, whole);
    this.#buffer = this.#buffer.subarray(whole);
    let body = packet.subarray(4, 4 + size);
    if (this.#in !== undefined) {
      const decipher = createDecipheriv('aes-128-gcm', this.#in.key, this.#in.iv);
      decipher.setAAD(packet.subarray(0, 4));
      decipher.setAuthTag(packet.subarray(4 + size));
      body = Buffer.concat([decipher.update(body), decipher.final()]);
      count(this.#in.iv);
    }
    return body.subarray(1, body.length - (body[0] ?? 0));
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next();
    assert.ok(next.done !== true, 'the server ended the connection');
    this.#buffer = Buffer.concat([this.#buffer, next.value]);
  }
}

/** The invocation counter of RFC 5647 section 7.1: the last eight bytes. */
function count(iv: Buffer): void {
  iv.writeBigUInt64BE((iv.readBigUInt64BE(4) + 1n) & 0xffff_ffff_ffff_ffffn, 4);
}
