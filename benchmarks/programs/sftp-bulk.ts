import { deferred, type ByteChannel } from '../../src/shared/common/index.js';

/** Packet types of SFTP version 3, and what opens a file for what. */
const INIT = 1;
const VERSION = 2;
const OPEN = 3;
const READ = 5;
const WRITE = 6;
const STATUS = 101;
const HANDLE = 102;
const DATA = 103;
const FLAG = { read: 0x01, write: 0x02 | 0x08 } as const;

/** What a request moves, and how many are under way: 2 MiB, enough for 40 MB/s over 50 ms. */
const PIECE_BYTES = 32 * 1024;
const OUTSTANDING = 64;

/** Reads or writes one file over and over by SFTP on a channel, as the page and `sftp` move files, and counts. */
export class SftpBulk {
  /** Bytes whose answer has come. */
  moved = 0;
  readonly #channel: ByteChannel;
  readonly #direction: 'read' | 'write';
  readonly #fileBytes: number;
  readonly #opened = deferred<void>();
  /** What was received and is not a whole packet yet. */
  #rest = Buffer.alloc(0);
  #handle = Buffer.alloc(0);
  #waiting: Buffer[] = [];
  #offset = 0;
  #id = 0;
  #running = false;

  private constructor(channel: ByteChannel, direction: 'read' | 'write', fileBytes: number) {
    this.#channel = channel;
    this.#direction = direction;
    this.#fileBytes = fileBytes;
    channel.start({
      message: (bytes) => {
        channel.consumed(bytes.length);
        this.#receive(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      },
      credit: () => {
        this.#flush();
      },
      end: (end) => {
        this.#opened.reject(new Error(`the sftp channel ended: ${JSON.stringify(end)}`));
      },
    });
  }

  /** @param fileBytes After so many bytes it begins again. */
  static async open(
    channel: ByteChannel,
    path: string,
    direction: 'read' | 'write',
    fileBytes: number,
  ): Promise<SftpBulk> {
    const bulk = new SftpBulk(channel, direction, fileBytes);
    bulk.#send(INIT, [u32(3)], false);
    bulk.#send(OPEN, [string(Buffer.from(path)), u32(FLAG[direction]), u32(0)]);
    await bulk.#opened.promise;
    return bulk;
  }

  start(): void {
    this.#running = true;
    for (let count = 0; count < OUTSTANDING; count += 1) this.#request();
  }

  /** Asks for no more; what is under way is answered still. */
  stop(): void {
    this.#running = false;
  }

  close(): void {
    this.#running = false;
    this.#channel.close();
  }

  #request(): void {
    if (!this.#running) return;
    const offset = u64(this.#offset);
    this.#offset = (this.#offset + PIECE_BYTES) % this.#fileBytes;
    const handle = string(this.#handle);
    if (this.#direction === 'read') this.#send(READ, [handle, offset, u32(PIECE_BYTES)]);
    else this.#send(WRITE, [handle, offset, string(Buffer.alloc(PIECE_BYTES, 0x61))]);
  }

  #send(type: number, parts: readonly Buffer[], hasId = true): void {
    this.#id += 1;
    const body = Buffer.concat([Buffer.of(type), ...(hasId ? [u32(this.#id)] : []), ...parts]);
    this.#waiting.push(Buffer.concat([u32(body.length), body]));
    this.#flush();
  }

  #flush(): void {
    while (this.#channel.credit > 0) {
      const packet = this.#waiting.shift();
      if (packet === undefined) return;
      this.#channel.send(new Uint8Array(packet));
    }
  }

  #receive(bytes: Buffer): void {
    let all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (all.length >= 4 && all.length >= 4 + all.readUInt32BE(0)) {
      const end = 4 + all.readUInt32BE(0);
      this.#packet(all.subarray(4, end));
      all = all.subarray(end);
    }
    this.#rest = Buffer.from(all);
  }

  #packet(packet: Buffer): void {
    switch (packet[0]) {
      case VERSION:
        return;
      case HANDLE:
        this.#handle = Buffer.from(packet.subarray(9));
        this.#opened.resolve();
        return;
      case DATA:
        this.moved += packet.readUInt32BE(5);
        this.#request();
        return;
      case STATUS: {
        const code = packet.readUInt32BE(5);
        if (code !== 0) {
          this.#opened.reject(new Error(`sftp: status ${String(code)}`));
          return;
        }
        this.moved += PIECE_BYTES;
        this.#request();
        return;
      }
      default:
        throw new Error(`sftp: type ${String(packet[0])}`);
    }
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function string(bytes: Buffer): Buffer {
  return Buffer.concat([u32(bytes.length), bytes]);
}
