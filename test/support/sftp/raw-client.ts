import assert from 'node:assert/strict';
import type { Readable, Writable } from 'node:stream';
import { REPLY, REQUEST } from '../../../src/main/agent/sftp/protocol.js';
import { FieldReader } from '../../../src/main/agent/sftp/reader.js';
import { FieldWriter } from '../../../src/main/agent/sftp/writer.js';

export interface Attrs {
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly permissions?: number;
  readonly atime?: number;
  readonly mtime?: number;
}

/** A decoded reply. */
export type Reply =
  | { readonly kind: 'status'; readonly code: number; readonly message: string }
  | { readonly kind: 'handle'; readonly handle: Buffer }
  | { readonly kind: 'data'; readonly data: Buffer }
  | { readonly kind: 'names'; readonly names: readonly NameEntry[] }
  | { readonly kind: 'attrs'; readonly attrs: Attrs }
  | { readonly kind: 'extended'; readonly fields: FieldReader };

export interface NameEntry {
  readonly name: Buffer;
  readonly longname: Buffer;
  readonly attrs: Attrs;
}

/** An SFTP client that says exactly what a test wants said, over any two streams. */
export class RawSftp {
  readonly #output: Writable;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #rest = Buffer.alloc(0);
  #nextId = 1;
  #version: ((fields: FieldReader) => void) | undefined;
  /** Names and versions of the extensions in the VERSION reply. */
  readonly extensions = new Map<string, string>();
  /** Replies to requests that were sent as bare bytes. */
  strays = 0;
  /** Resolves when the server ended its side. */
  readonly ended: Promise<void>;

  /** `input`: what the server sends; `output`: what it reads. */
  constructor(input: Readable, output: Writable) {
    this.#output = output;
    output.on('error', () => undefined);
    input.on('data', (chunk: Buffer) => this.#take(chunk));
    this.ended = new Promise((resolve) => {
      input
        .once('end', resolve)
        .once('close', resolve)
        .once('error', () => resolve());
    });
  }

  async init(): Promise<void> {
    const fields = await new Promise<FieldReader>((resolve) => {
      this.#version = resolve;
      this.send(new FieldWriter(REQUEST.INIT).u32(3).end());
    });
    assert.equal(fields.u32(), 3);
    while (fields.left > 0) {
      this.extensions.set(fields.string().toString(), fields.string().toString());
    }
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array): void {
    this.#output.write(bytes);
  }

  end(): void {
    this.#output.end();
  }

  /** Sends one request, its id filled in, and waits for its reply. */
  async request(type: number, fill: (fields: FieldWriter) => void): Promise<Reply> {
    const id = this.#nextId;
    this.#nextId += 1;
    const writer = new FieldWriter(type).u32(id);
    fill(writer);
    return await new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.send(writer.end());
    });
  }

  async named(type: number, name: Buffer | string): Promise<Reply> {
    return await this.request(type, (fields) => fields.string(name));
  }

  async extended(name: string, fill: (fields: FieldWriter) => void): Promise<Reply> {
    return await this.request(REQUEST.EXTENDED, (fields) => fill(fields.string(name)));
  }

  async open(name: Buffer | string, flags: number, attrs: Attrs = {}): Promise<Reply> {
    return await this.request(REQUEST.OPEN, (fields) => {
      writeAttrs(fields.string(name).u32(flags), attrs);
    });
  }

  /** Opens, and fails the test if that fails. */
  async handle(name: Buffer | string, flags: number, attrs: Attrs = {}): Promise<Buffer> {
    return handleOf(await this.open(name, flags, attrs));
  }

  async read(handle: Buffer, offset: number | bigint, length: number): Promise<Reply> {
    return await this.request(REQUEST.READ, (fields) =>
      fields.string(handle).u64(BigInt(offset)).u32(length),
    );
  }

  async write(handle: Buffer, offset: number | bigint, data: Buffer): Promise<Reply> {
    return await this.request(REQUEST.WRITE, (fields) =>
      fields.string(handle).u64(BigInt(offset)).string(data),
    );
  }

  async close(handle: Buffer): Promise<Reply> {
    return await this.request(REQUEST.CLOSE, (fields) => fields.string(handle));
  }

  async setstat(name: Buffer | string, attrs: Attrs): Promise<Reply> {
    return await this.request(REQUEST.SETSTAT, (fields) => writeAttrs(fields.string(name), attrs));
  }

  /** All names of a folder, with what READDIR says of each. */
  async list(name: Buffer | string): Promise<NameEntry[]> {
    const handle = handleOf(await this.named(REQUEST.OPENDIR, name));
    const all: NameEntry[] = [];
    for (;;) {
      const reply = await this.request(REQUEST.READDIR, (fields) => fields.string(handle));
      if (reply.kind === 'names') {
        all.push(...reply.names);
        continue;
      }
      assert.equal(statusOf(reply), 1);
      assert.equal(statusOf(await this.close(handle)), 0);
      return all;
    }
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4) {
      const length = this.#rest.readUInt32BE(0);
      if (this.#rest.length < 4 + length) return;
      const packet = this.#rest.subarray(4, 4 + length);
      this.#rest = this.#rest.subarray(4 + length);
      const fields = new FieldReader(packet);
      const type = fields.u8();
      if (type === REPLY.VERSION) {
        this.#version?.(fields);
        continue;
      }
      const id = fields.u32();
      const resolve = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (resolve === undefined) this.strays += 1;
      else resolve(decode(type, fields));
    }
  }
}

export function handleOf(reply: Reply): Buffer {
  if (reply.kind !== 'handle') assert.fail(describe(reply));
  return reply.handle;
}

export function dataOf(reply: Reply): Buffer {
  if (reply.kind !== 'data') assert.fail(describe(reply));
  return reply.data;
}

export function attrsOf(reply: Reply): Attrs {
  if (reply.kind !== 'attrs') assert.fail(describe(reply));
  return reply.attrs;
}

/** The one name of a REALPATH or READLINK reply. */
export function nameOf(reply: Reply): Buffer {
  if (reply.kind !== 'names') assert.fail(describe(reply));
  assert.equal(reply.names.length, 1);
  return reply.names[0]!.name;
}

/** The code of a STATUS, or -1 for any other reply. */
export function statusOf(reply: Reply): number {
  return reply.kind === 'status' ? reply.code : -1;
}

function describe(reply: Reply): string {
  return reply.kind === 'status' ? `status ${reply.code}: ${reply.message}` : reply.kind;
}

export function writeAttrs(fields: FieldWriter, attrs: Attrs): void {
  const { size, uid, gid, permissions, atime, mtime } = attrs;
  fields.u32(
    (size === undefined ? 0 : 1) +
      (uid === undefined ? 0 : 2) +
      (permissions === undefined ? 0 : 4) +
      (mtime === undefined ? 0 : 8),
  );
  if (size !== undefined) fields.u64(BigInt(size));
  if (uid !== undefined) fields.u32(uid).u32(gid ?? uid);
  if (permissions !== undefined) fields.u32(permissions);
  if (mtime !== undefined) fields.u32(atime ?? mtime).u32(mtime);
}

function readAttrs(fields: FieldReader): Attrs {
  const flags = fields.u32();
  const attrs: { -readonly [K in keyof Attrs]: Attrs[K] } = {};
  if (flags & 1) attrs.size = fields.u64();
  if (flags & 2) {
    attrs.uid = fields.u32();
    attrs.gid = fields.u32();
  }
  if (flags & 4) attrs.permissions = fields.u32();
  if (flags & 8) {
    attrs.atime = fields.u32();
    attrs.mtime = fields.u32();
  }
  return attrs;
}

function decode(type: number, fields: FieldReader): Reply {
  switch (type) {
    case REPLY.STATUS:
      return { kind: 'status', code: fields.u32(), message: fields.string().toString() };
    case REPLY.HANDLE:
      return { kind: 'handle', handle: Buffer.from(fields.string()) };
    case REPLY.DATA:
      return { kind: 'data', data: Buffer.from(fields.string()) };
    case REPLY.NAME: {
      const names: NameEntry[] = [];
      for (let left = fields.u32(); left > 0; left -= 1) {
        names.push({
          name: Buffer.from(fields.string()),
          longname: Buffer.from(fields.string()),
          attrs: readAttrs(fields),
        });
      }
      return { kind: 'names', names };
    }
    case REPLY.ATTRS:
      return { kind: 'attrs', attrs: readAttrs(fields) };
    case REPLY.EXTENDED:
      return { kind: 'extended', fields };
    default:
      throw new Error(`reply of unknown type ${type}`);
  }
}
