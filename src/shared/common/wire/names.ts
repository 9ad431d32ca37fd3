import * as z from 'zod';

/** Name of a workspace: part of host names and addresses. Lower case, so that two never look alike. */
export const workspaceNameSchema = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'lower-case letters, digits and inner hyphens, at most 63',
  );

/** Who holds a credential: shown in presence, logs and audit records as the subject. */
export const holderNameSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[\p{L}\p{N} ._@+-]+$/u, 'letters, digits, blanks and . _ @ + -');
