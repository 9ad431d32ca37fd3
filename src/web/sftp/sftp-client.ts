import {
  deferred,
  fromErrorRecord,
  HoldfastError,
  limits,
  type ByteChannel,
  type Deferred,
} from '../../shared/common/index.js';
import {
  OPEN,
  PacketReader,
  PacketSplitter,
  PacketWriter,
  REPLY,
  REQUEST,
  SFTP_VERSION,
  STATUS,
  textPacket,
  type FileAttributes,
} from './packets.js';

/** Said by the server about one request; the session goes on. */
export class SftpStatusError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message === '' ? `status ${String(status)}` : message);
    this.name = 'SftpStatusError';
    this.status = status;
  }
}

/** A file that is open in the server. */
export type Handle = Uint8Array & { readonly handle: never };

/**
 * SFTP version 3 over one channel. Requests may be many at a time; each is answered by itself. When the
 * channel ends, all that wait reject. Owns the channel.
 */
export class SftpClient {
  readonly #channel: ByteChannel;
  readonly #splitter = new PacketSplitter();
  readonly #waiting = new Map<number, Deferred<PacketReader>>();
  readonly #version = deferred<undefined>();
  /** Resolved when the channel has room again. */
  #room: Deferred<undefined> | undefined;
  #failure: HoldfastError | undefined;
  #lastId = 0;
  #extensions: ReadonlySet<string> = new Set();

  constructor(channel: ByteChannel) {
    this.#channel = channel;
    this.#version.promise.catch(() => undefined);
    channel.start({
      message: (bytes) => {
        // At once: replies are small, and no more come than were asked for.
        channel.consumed(bytes.length);
        try {
          for (const packet of this.#splitter.push(bytes)) this.#receive(new PacketReader(packet));
        } catch (error) {
          this.#end(
            error instanceof HoldfastError
              ? error
              : new HoldfastError('ERR_PROTOCOL', 'an sftp reply that cannot be read'),
          );
        }
      },
      credit: () => {
        this.#room?.resolve(undefined);
        this.#room = undefined;
      },
      end: (end) => {
        this.#end(
          end.type === 'lost'
            ? new HoldfastError('ERR_PEER_LOST', 'the connection was lost')
            : end.error === undefined
              ? new HoldfastError('ERR_CHANNEL_CLOSED', 'the agent ended the transfer')
              : fromErrorRecord(end.error),
        );
      },
    });
    channel.send(new PacketWriter(REQUEST.INIT, 4).u32(SFTP_VERSION).end());
  }

  /** Resolves when the server has greeted. @throws {HoldfastError} why it did not. */
  async ready(): Promise<void> {
    await this.#version.promise;
  }

  /**
   * The absolute form of `path`; a relative one starts at the server's own folder, and `~` is the home
   * folder where the server knows one.
   */
  async realpath(path: string): Promise<string> {
    const packet = (id: number): Uint8Array<ArrayBuffer> =>
      this.#extensions.has(EXPAND_PATH)
        ? textPacket(REQUEST.EXTENDED, id, EXPAND_PATH, path)
        : textPacket(REQUEST.REALPATH, id, path);
    const reply = await this.#ask(packet, REPLY.NAME);
    reply.u32();
    return reply.text();
  }

  /** Absent: there is no such file. Follows links. */
  async stat(path: string): Promise<FileAttributes | undefined> {
    try {
      const reply = await this.#ask((id) => textPacket(REQUEST.STAT, id, path), REPLY.ATTRS);
      return reply.attributes();
    } catch (error) {
      if (error instanceof SftpStatusError && error.status === STATUS.NO_SUCH_FILE) {
        return undefined;
      }
      throw error;
    }
  }

  /** Makes a file that was not there and opens it for writing. */
  async create(path: string, mode: number | undefined): Promise<Handle> {
    const name = new TextEncoder().encode(path);
    const reply = await this.#ask((id) => {
      const packet = new PacketWriter(REQUEST.OPEN, 20 + name.length)
        .u32(id)
        .string(name)
        .u32(OPEN.WRITE | OPEN.CREAT | OPEN.EXCL);
      return (mode === undefined ? packet.u32(0) : packet.u32(0x04).u32(mode)).end();
    }, REPLY.HANDLE);
    return reply.bytes() as Handle;
  }

  async write(handle: Handle, offset: number, data: Uint8Array): Promise<void> {
    await this.#ask(
      (id) =>
        new PacketWriter(REQUEST.WRITE, 20 + handle.length + data.length)
          .u32(id)
          .string(handle)
          .u64(offset)
          .string(data)
          .end(),
      REPLY.STATUS,
    );
  }

  async close(handle: Handle): Promise<void> {
    await this.#ask(
      (id) => new PacketWriter(REQUEST.CLOSE, 8 + handle.length).u32(id).string(handle).end(),
      REPLY.STATUS,
    );
  }

  /** Fails if there is a file named `to`. */
  async rename(from: string, to: string): Promise<void> {
    await this.#ask((id) => textPacket(REQUEST.RENAME, id, from, to), REPLY.STATUS);
  }

  /** Takes the place of a file named `to`. @throws {HoldfastError} ERR_UNSUPPORTED. */
  async replace(from: string, to: string): Promise<void> {
    if (!this.#extensions.has(POSIX_RENAME)) {
      throw new HoldfastError('ERR_UNSUPPORTED', 'the agent cannot replace files');
    }
    await this.#ask((id) => textPacket(REQUEST.EXTENDED, id, POSIX_RENAME, from, to), REPLY.STATUS);
  }

  async remove(path: string): Promise<void> {
    await this.#ask((id) => textPacket(REQUEST.REMOVE, id, path), REPLY.STATUS);
  }

  /** Ends the session; what still waits rejects. Idempotent. */
  end(): void {
    this.#end(new HoldfastError('ERR_CLOSED', 'the transfer was ended'));
  }

  async #ask(packet: (id: number) => Uint8Array<ArrayBuffer>, type: number): Promise<PacketReader> {
    await this.#version.promise;
    while (this.#failure === undefined && this.#channel.credit <= 0) {
      this.#room ??= deferred();
      await this.#room.promise;
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = deferred<PacketReader>();
    this.#waiting.set(id, answer);
    this.#channel.send(packet(id));
    const reply = await answer.promise;
    if (reply.type === REPLY.STATUS) {
      const status = reply.u32();
      if (status !== STATUS.OK) throw new SftpStatusError(status, reply.text());
    }
    if (reply.type !== type) throw new HoldfastError('ERR_PROTOCOL', 'an unexpected sftp reply');
    return reply;
  }

  #receive(reply: PacketReader): void {
    if (reply.type === REPLY.VERSION) {
      reply.u32();
      this.#extensions = readExtensions(reply);
      this.#version.resolve(undefined);
      return;
    }
    const id = reply.u32();
    this.#waiting.get(id)?.resolve(reply);
    this.#waiting.delete(id);
  }

  #end(error: HoldfastError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#version.reject(error);
    this.#room?.resolve(undefined);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    this.#channel.close();
  }
}

const POSIX_RENAME = 'posix-rename@openssh.com';

const EXPAND_PATH = 'expand-path@openssh.com';

/** Names of what the server can beyond version 3: pairs of name and version, up to the packet's end. */
function readExtensions(reply: PacketReader): ReadonlySet<string> {
  const names = new Set<string>();
  while (!reply.isAtEnd) {
    names.add(reply.text());
    reply.text();
  }
  return names;
}

/** Data of one write: with its header it fits a message of the channel. */
export const WRITE_BYTES = limits.CHANNEL_MESSAGE_BYTES / 2;
