import type { Logger } from '../../../shared/common/index.js';
import type { Accounts } from './accounts.js';
import type { Handles } from './handles.js';
import type { Names } from './names.js';
import type { Access } from './scheduler.js';
import { STATUS } from './protocol.js';
import { StatusError } from './status.js';

/** What the requests of one session share. */
export interface Context {
  readonly names: Names;
  readonly handles: Handles;
  readonly accounts: Accounts;
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

/** As {@link aloneJob}, refused in a read-only session. */
export function changeJob(context: Context, run: () => Promise<Buffer>): Job {
  return context.readOnly ? failJob(STATUS.PERMISSION_DENIED) : aloneJob(run);
}

/** A job that fails with `status`. */
export function failJob(status: StatusError['status'], message?: string): Job {
  return lookJob(() => Promise.reject(new StatusError(status, message)));
}
