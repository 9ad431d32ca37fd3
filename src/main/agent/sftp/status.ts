import { getSystemErrorMap } from 'node:util';

import { REPLY, STATUS, type StatusCode } from './protocol.js';
import { FieldWriter } from './writer.js';

/** What a status says in words where no system call says it better. */
const WORDS: Readonly<Record<StatusCode, string>> = {
  [STATUS.OK]: 'Success',
  [STATUS.EOF]: 'End of file',
  [STATUS.NO_SUCH_FILE]: 'No such file',
  [STATUS.PERMISSION_DENIED]: 'Permission denied',
  [STATUS.FAILURE]: 'Failure',
  [STATUS.BAD_MESSAGE]: 'Bad message',
  [STATUS.OP_UNSUPPORTED]: 'Operation unsupported',
};

/** A request that is answered with a status other than success. Never leaves this folder. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: StatusCode;

  constructor(status: StatusCode, message: string = WORDS[status]) {
    super(message);
    this.status = status;
  }
}

/**
 * The status of a failed system call, as OpenSSH's sftp-server maps it: clients tell "not there" from
 * "not allowed" by it and nothing else.
 */
export function statusOfErrno(code: string): StatusCode {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EBADF':
    case 'ELOOP':
      return STATUS.NO_SUCH_FILE;
    case 'EPERM':
    case 'EACCES':
    case 'EFAULT':
      return STATUS.PERMISSION_DENIED;
    case 'ENAMETOOLONG':
    case 'EINVAL':
      return STATUS.BAD_MESSAGE;
    case 'ENOSYS':
      return STATUS.OP_UNSUPPORTED;
    default:
      return STATUS.FAILURE;
  }
}

/** The STATUS packet for `id`. */
export function statusReply(
  id: number,
  status: StatusCode,
  message: string = WORDS[status],
): Buffer {
  return new FieldWriter(REPLY.STATUS, 64).u32(id).u32(status).string(message).string('').end();
}

/**
 * The STATUS packet for whatever a request threw. The text is that of the system's error and never
 * holds a path. Absence of a known cause means a defect of ours: see {@link isExpectedFailure}.
 */
export function failureReply(id: number, error: unknown): Buffer {
  if (error instanceof StatusError) return statusReply(id, error.status, error.message);
  if (isSystemError(error)) {
    const text = getSystemErrorMap().get(error.errno)?.[1];
    return statusReply(id, statusOfErrno(error.code), text ?? error.code);
  }
  return statusReply(id, STATUS.FAILURE);
}

/** Whether the file system or the request is to blame for `error`, and not this program. */
export function isExpectedFailure(error: unknown): boolean {
  return error instanceof StatusError || isSystemError(error);
}

/** Whether `error` is a failed system call with this code. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return isSystemError(error) && codes.includes(error.code);
}

function isSystemError(error: unknown): error is { code: string; errno: number } {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    'errno' in error &&
    typeof error.errno === 'number'
  );
}
