import type { Logger } from '../../../shared/common/index.js';
import type { Accounts } from './accounts.js';
import type { Handles } from './handles.js';
import type { Names } from './names.js';
import type { Access } from './scheduler.js';
import { STATUS } from './protocol.js';
import type { SpareBuffers } from './spare-buffers.js';
import { StatusError } from './status.js';

/** What the requests of one session share. */
export interface Context {
  readonly names: Names;
  readonly handles: Handles;
  readonly accounts: Accounts;
  /** Memory for what is read and written on this thread. Absent: on libuv's pool, for others are served as well. */
  readonly spare?: SpareBuffers | undefined;
  readonly readOnly: boolean;
  readonly logger: Logger;
  /** Aborts when nobody waits for replies any more; long work gives up then. */
  readonly ended: AbortSignal;
}

/** One request made ready to run. */
export interface Job {
  readonly access: Access;
  /** About how large the reply is; room for it is set aside before the job starts. */
  readonly replyBytes: number;
  /** Yields the whole reply packet. A rejection becomes a status. */
  readonly run: () => Promise<Buffer>;
  /** The same without a turn of the loop, for a request that waits for no other. Absent: it takes one. */
  readonly now?: (() => Buffer) | undefined;
}

/** Replies that hold a status or a name or two. */
export const SMALL_REPLY_BYTES = 1024;

const LOOK: Access = { kind: 'look' };
const ALONE: Access = { kind: 'alone' };

/** A job that only reads names and attributes. */
export function lookJob(run: () => Promise<Buffer>): Job {
  return { access: LOOK, replyBytes: SMALL_REPLY_BYTES, run };
}

/** A job that changes names or attributes. */
export function aloneJob(run: () => Promise<Buffer>): Job {
  return { access: ALONE, replyBytes: SMALL_REPLY_BYTES, run };
}

/** A job whose whole work is `now`. */
export function directJob(job: Pick<Job, 'access' | 'replyBytes'>, now: () => Buffer): Job {
  return { ...job, now, run: () => new Promise((resolve) => resolve(now())) };
}

/** As {@link aloneJob}, refused in a read-only session. */
export function changeJob(context: Context, run: () => Promise<Buffer>): Job {
  return context.readOnly ? failJob(STATUS.PERMISSION_DENIED) : aloneJob(run);
}

/** A job that fails with `status`. */
export function failJob(status: StatusError['status'], message?: string): Job {
  return lookJob(() => Promise.reject(new StatusError(status, message)));
}
