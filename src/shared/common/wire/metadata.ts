import * as z from 'zod';
import { HoldfastError } from '../errors.js';

/**
 * What the broker tells an agent about its workspace. The JSON names are the original's, so that a
 * broker written for it still serves. Everything but `directory` and `startup_script` shapes the
 * environment of every process.
 */
export const metadataSchema = z.object({
  owner_email: z.string().max(320).default(''),
  owner_username: z.string().max(320).default(''),
  environment_variables: z
    .record(z.string().regex(/^[^=\0]+$/), z.string().regex(/^[^\0]*$/))
    .default({}),
  /** Absent: the agent has nothing to run. An empty one still uses up the one run per process. */
  startup_script: z.string().optional(),
  /** Where sessions start. Empty or absent: the home directory. */
  directory: z
    .string()
    .regex(/^[^\0]*$/)
    .default(''),
});

export type Metadata = z.infer<typeof metadataSchema>;

/** @throws {HoldfastError} ERR_METADATA naming the first field that is wrong. */
export function parseMetadata(value: unknown): Metadata {
  const result = metadataSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new HoldfastError('ERR_METADATA', `metadata ${field}: ${issue?.message ?? 'malformed'}`);
}
