/**
 * Numbers of SFTP version 3 (draft-ietf-secsh-filexfer-02) and of the extensions that OpenSSH added
 * (its PROTOCOL file, section 4).
 */

/** The only version served; the client's own is ignored, as OpenSSH does. */
export const SFTP_VERSION = 3;

/** Requests, by their type byte. */
export const REQUEST = {
  INIT: 1,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  LSTAT: 7,
  FSTAT: 8,
  SETSTAT: 9,
  FSETSTAT: 10,
  OPENDIR: 11,
  READDIR: 12,
  REMOVE: 13,
  MKDIR: 14,
  RMDIR: 15,
  REALPATH: 16,
  STAT: 17,
  RENAME: 18,
  READLINK: 19,
  SYMLINK: 20,
  EXTENDED: 200,
} as const;

/** Replies, by their type byte. */
export const REPLY = {
  VERSION: 2,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
  EXTENDED: 201,
} as const;

/** Codes of a STATUS reply. */
export const STATUS = {
  OK: 0,
  EOF: 1,
  NO_SUCH_FILE: 2,
  PERMISSION_DENIED: 3,
  FAILURE: 4,
  BAD_MESSAGE: 5,
  OP_UNSUPPORTED: 8,
} as const;

export type StatusCode = (typeof STATUS)[keyof typeof STATUS];

/** Bits of the `pflags` field of OPEN. */
export const OPEN = {
  READ: 0x01,
  WRITE: 0x02,
  APPEND: 0x04,
  CREAT: 0x08,
  TRUNC: 0x10,
  EXCL: 0x20,
} as const;

/** Bits that say which fields an attribute block holds. */
export const ATTR = {
  SIZE: 0x0000_0001,
  UIDGID: 0x0000_0002,
  PERMISSIONS: 0x0000_0004,
  ACMODTIME: 0x0000_0008,
  EXTENDED: 0x8000_0000,
} as const;

/** What a packet may hold beside the data of one READ or WRITE; OpenSSH leaves the same room. */
export const DATA_OVERHEAD_BYTES = 1024;
