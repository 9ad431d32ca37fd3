import type { BigIntStats } from 'node:fs';

import { ATTR } from './protocol.js';
import type { FieldReader } from './reader.js';
import type { FieldWriter } from './writer.js';

/** Attributes of a request. What is absent was not sent and stays as it is. */
export interface Attributes {
  /** Bytes; `Infinity` beyond 2^53 - 1. */
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Mode with whatever type bits the client put in; only the low 12 bits are ever applied. */
  readonly permissions?: number;
  /** Seconds since 1970. */
  readonly atime?: number;
  /** Seconds since 1970. */
  readonly mtime?: number;
}

/**
 * Reads an attribute block (draft-ietf-secsh-filexfer-02, section 5). Extended pairs are skipped.
 * @throws {HoldfastError} ERR_PROTOCOL if the packet ends within it.
 */
export function readAttributes(reader: FieldReader): Attributes {
  const flags = reader.u32();
  const attributes: { -readonly [K in keyof Attributes]: Attributes[K] } = {};
  if (flags & ATTR.SIZE) attributes.size = reader.u64();
  if (flags & ATTR.UIDGID) {
    attributes.uid = reader.u32();
    attributes.gid = reader.u32();
  }
  if (flags & ATTR.PERMISSIONS) attributes.permissions = reader.u32();
  if (flags & ATTR.ACMODTIME) {
    attributes.atime = reader.u32();
    attributes.mtime = reader.u32();
  }
  if (flags & ATTR.EXTENDED) {
    // A count of four thousand million needs no bound of its own: the packet ends first.
    for (let left = reader.u32(); left > 0; left -= 1) {
      reader.string();
      reader.string();
    }
  }
  return attributes;
}

/** Writes all that version 3 can say of a file. Times before 1970 and after 2106 wrap, as in OpenSSH. */
export function writeStats(writer: FieldWriter, stats: BigIntStats): void {
  writer
    .u32(ATTR.SIZE | ATTR.UIDGID | ATTR.PERMISSIONS | ATTR.ACMODTIME)
    .u64(BigInt.asUintN(64, stats.size))
    .u32(low32(stats.uid))
    .u32(low32(stats.gid))
    .u32(low32(stats.mode))
    .u32(low32(floorSeconds(stats.atimeNs)))
    .u32(low32(floorSeconds(stats.mtimeNs)));
}

/** Whole seconds at or before `ns`. Exact, where the milliseconds of a plain stat round up at .9999999. */
export function floorSeconds(ns: bigint): bigint {
  const seconds = ns / 1_000_000_000n;
  return ns < 0n && seconds * 1_000_000_000n !== ns ? seconds - 1n : seconds;
}

function low32(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}
