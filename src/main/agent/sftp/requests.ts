import { readAttributes, type Attributes } from './attrs.js';
import { REQUEST } from './protocol.js';
import { FieldReader } from './reader.js';

/** One decoded request. Paths, handles and data are views of the packet. */
export type Request =
  | { readonly type: 'init'; readonly version: number }
  | {
      readonly type: 'open';
      readonly id: number;
      readonly path: Buffer;
      /** Bits of `OPEN`. */
      readonly flags: number;
      readonly attributes: Attributes;
    }
  | { readonly type: 'close' | 'fstat' | 'readdir'; readonly id: number; readonly handle: Buffer }
  | {
      readonly type: 'read';
      readonly id: number;
      readonly handle: Buffer;
      readonly offset: number;
      /** As asked for: up to 4 GiB. */
      readonly length: number;
    }
  | {
      readonly type: 'write';
      readonly id: number;
      readonly handle: Buffer;
      readonly offset: number;
      readonly data: Buffer;
    }
  | {
      readonly type: 'lstat' | 'stat' | 'opendir' | 'remove' | 'rmdir' | 'realpath' | 'readlink';
      readonly id: number;
      readonly path: Buffer;
    }
  | {
      readonly type: 'setstat' | 'mkdir';
      readonly id: number;
      readonly path: Buffer;
      readonly attributes: Attributes;
    }
  | {
      readonly type: 'fsetstat';
      readonly id: number;
      readonly handle: Buffer;
      readonly attributes: Attributes;
    }
  | { readonly type: 'rename'; readonly id: number; readonly from: Buffer; readonly to: Buffer }
  /** `target` is what the link says, `path` where it is made: OpenSSH's order, not the draft's. */
  | {
      readonly type: 'symlink';
      readonly id: number;
      readonly target: Buffer;
      readonly path: Buffer;
    }
  | {
      readonly type: 'extended';
      readonly id: number;
      readonly name: string;
      /** Positioned at the extension's own fields. */
      readonly fields: FieldReader;
    }
  | { readonly type: 'unknown'; readonly id: number; readonly code: number };

/** The variant that holds requests of type `T`; it may hold others of the same layout. */
export type RequestOf<T extends Request['type']> = Request extends infer Variant
  ? Variant extends { readonly type: infer Types }
    ? [T] extends [Types]
      ? Variant
      : never
    : never
  : never;

/**
 * Decodes a packet. Bytes after the last field are ignored, as OpenSSH does.
 * @throws {HoldfastError} ERR_PROTOCOL if it ends before its fields do.
 */
export function decodeRequest(packet: Buffer): Request {
  const reader = new FieldReader(packet);
  const code = reader.u8();
  if (code === REQUEST.INIT) return { type: 'init', version: reader.u32() };
  const id = reader.u32();
  switch (code) {
    case REQUEST.OPEN:
      return {
        type: 'open',
        id,
        path: reader.string(),
        flags: reader.u32(),
        attributes: readAttributes(reader),
      };
    case REQUEST.CLOSE:
      return { type: 'close', id, handle: reader.string() };
    case REQUEST.READ:
      return {
        type: 'read',
        id,
        handle: reader.string(),
        offset: reader.u64(),
        length: reader.u32(),
      };
    case REQUEST.WRITE:
      return {
        type: 'write',
        id,
        handle: reader.string(),
        offset: reader.u64(),
        data: reader.string(),
      };
    case REQUEST.LSTAT:
      return { type: 'lstat', id, path: reader.string() };
    case REQUEST.FSTAT:
      return { type: 'fstat', id, handle: reader.string() };
    case REQUEST.SETSTAT:
      return { type: 'setstat', id, path: reader.string(), attributes: readAttributes(reader) };
    case REQUEST.FSETSTAT:
      return { type: 'fsetstat', id, handle: reader.string(), attributes: readAttributes(reader) };
    case REQUEST.OPENDIR:
      return { type: 'opendir', id, path: reader.string() };
    case REQUEST.READDIR:
      return { type: 'readdir', id, handle: reader.string() };
    case REQUEST.REMOVE:
      return { type: 'remove', id, path: reader.string() };
    case REQUEST.MKDIR:
      return { type: 'mkdir', id, path: reader.string(), attributes: readAttributes(reader) };
    case REQUEST.RMDIR:
      return { type: 'rmdir', id, path: reader.string() };
    case REQUEST.REALPATH:
      return { type: 'realpath', id, path: reader.string() };
    case REQUEST.STAT:
      return { type: 'stat', id, path: reader.string() };
    case REQUEST.RENAME:
      return { type: 'rename', id, from: reader.string(), to: reader.string() };
    case REQUEST.READLINK:
      return { type: 'readlink', id, path: reader.string() };
    case REQUEST.SYMLINK:
      return { type: 'symlink', id, target: reader.string(), path: reader.string() };
    case REQUEST.EXTENDED:
      return { type: 'extended', id, name: reader.string().toString('latin1'), fields: reader };
    default:
      return { type: 'unknown', id, code };
  }
}
