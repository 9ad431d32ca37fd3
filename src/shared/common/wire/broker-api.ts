/**
 * Bodies of the broker's HTTP API, `/api/v1`. JSON both ways; every request but the static pages and
 * the two health addresses carries `Authorization: Bearer <token>`. Errors: `httpErrorSchema`.
 */
import * as z from 'zod';
import { METADATA_BYTES } from '../limits.js';
import { metadataSchema } from './metadata.js';
import { holderNameSchema, workspaceNameSchema } from './names.js';
import { publicKeySchema, scopeSchema } from './ticket.js';

/** What an owner may say about a workspace: the metadata of the original, and the Git key. */
const workspaceFields = z.object({
  ...metadataSchema.shape,
  /** The owner's private Git key in OpenSSH form. Only the agent of the workspace ever gets it back. */
  gitKey: z.string().min(1).max(16_384).optional(),
});

const fitsMetadata = (value: unknown): boolean => JSON.stringify(value).length <= METADATA_BYTES;

/** Body of `POST /api/v1/workspaces`. */
export const workspaceInputSchema = z
  .strictObject({ name: workspaceNameSchema, ...workspaceFields.shape })
  .refine(fitsMetadata, 'metadata is too long');
export type WorkspaceInput = z.input<typeof workspaceInputSchema>;

/** Body of `PATCH /api/v1/workspaces/:name`: what is absent stays. `gitKey: null` removes the key. */
export const workspacePatchSchema = z
  .strictObject({
    owner_email: metadataSchema.shape.owner_email.unwrap().optional(),
    owner_username: metadataSchema.shape.owner_username.unwrap().optional(),
    environment_variables: metadataSchema.shape.environment_variables.unwrap().optional(),
    startup_script: metadataSchema.shape.startup_script,
    directory: metadataSchema.shape.directory.unwrap().optional(),
    gitKey: workspaceFields.shape.gitKey.nullable(),
  })
  .refine(fitsMetadata, 'metadata is too long');
export type WorkspacePatch = z.input<typeof workspacePatchSchema>;

/** One row of `GET /api/v1/workspaces`. Values of the environment are never shown again. */
export const workspaceInfoSchema = z.object({
  id: z.string(),
  name: workspaceNameSchema,
  ownerEmail: z.string(),
  ownerUsername: z.string(),
  directory: z.string(),
  hasStartupScript: z.boolean(),
  hasGitKey: z.boolean(),
  createdAt: z.string(),
  /** Whether an agent is connected now. */
  online: z.boolean(),
  /** When an agent was last connected; absent: never. */
  lastSeenAt: z.string().optional(),
  agentVersion: z.string().optional(),
  /** Both absent until an agent has connected once. Clients pin them. */
  agentKey: publicKeySchema.optional(),
  sshHostKey: z.string().optional(),
});
export type WorkspaceInfo = z.infer<typeof workspaceInfoSchema>;

export const workspaceListSchema = z.object({ workspaces: z.array(workspaceInfoSchema) });

/** Answer of `POST /api/v1/workspaces`. The agent token is shown this once. */
export const workspaceAddedSchema = z.object({
  workspace: workspaceInfoSchema,
  agentToken: z.string(),
});
export type WorkspaceAdded = z.infer<typeof workspaceAddedSchema>;

/**
 * Body of `POST /api/v1/workspaces/:name/agent-token`: a new agent token; the old one ends at once.
 * `forgetKey` also lets the next agent bring a new identity key (it was reinstalled).
 */
export const agentTokenRequestSchema = z.strictObject({ forgetKey: z.boolean().default(false) });

/** `admin` manages workspaces and tokens; `user` connects to what the token names. */
export const tokenRoleSchema = z.enum(['admin', 'user']);
export type TokenRole = z.infer<typeof tokenRoleSchema>;

/** Body of `POST /api/v1/tokens`. */
export const tokenInputSchema = z.strictObject({
  /** Who holds it: shown in presence, logs and audit records as the subject. */
  name: holderNameSchema,
  role: tokenRoleSchema.default('user'),
  /** Names of workspaces, or all of them, later ones too. */
  workspaces: z.union([z.literal('all'), z.array(workspaceNameSchema).min(1).max(256)]),
  scopes: z.array(scopeSchema).min(1).max(32).default(['owner']),
  /** Seconds from now. Absent: until revoked. */
  expiresIn: z
    .number()
    .int()
    .min(1)
    .max(10 * 366 * 86_400)
    .optional(),
});
export type TokenInput = z.input<typeof tokenInputSchema>;

/** One row of `GET /api/v1/tokens`; never the secret. */
export const tokenInfoSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: tokenRoleSchema,
  workspaces: z.union([z.literal('all'), z.array(z.string())]),
  scopes: z.array(z.string()),
  createdAt: z.string(),
  expiresAt: z.string().optional(),
});
export type TokenInfo = z.infer<typeof tokenInfoSchema>;

export const tokenListSchema = z.object({ tokens: z.array(tokenInfoSchema) });

/** Answer of `POST /api/v1/tokens`. The secret is shown this once. */
export const tokenCreatedSchema = z.object({ token: tokenInfoSchema, secret: z.string() });
export type TokenCreated = z.infer<typeof tokenCreatedSchema>;

/** Answer of `GET /api/v1/whoami`. */
export const whoamiSchema = z.object({ token: tokenInfoSchema, brokerVersion: z.string() });
export type WhoAmI = z.infer<typeof whoamiSchema>;

/** Answer of `GET /api/v1/agent/git-key`. */
export const gitKeySchema = z.object({ privateKey: z.string() });
