/**
 * Share links: capabilities that stand alone. A link names a workspace and one terminal of it (or all),
 * and carries, in its fragment, a secret and the key of the agent that its holder must meet. The fragment
 * never reaches a server as part of an address; the secret is sent in a header only.
 */
import * as z from 'zod';
import { HoldfastError } from '../errors.js';
import { parseTerminalId, type TerminalId } from '../ids.js';
import { SHARE_MAX_MS, SHARE_MAX_VIEWERS, SHARE_VIEWERS } from '../limits.js';
import { publicKeySchema } from './ticket.js';
import { holderNameSchema, workspaceNameSchema } from './names.js';

/** What a link allows: to watch, or also to type. */
export const shareModeSchema = z.enum(['view', 'type']);
export type ShareMode = z.infer<typeof shareModeSchema>;

/** A terminal's id as a link names it; `*` is every terminal of the workspace, later ones too. */
const sharedTerminal = z
  .string()
  .regex(/^(\*|[A-Za-z0-9][A-Za-z0-9._-]{0,63})$/, 'the name of a terminal, or * for all');

/** Body of `POST /api/v1/shares`. */
export const shareInputSchema = z.strictObject({
  workspace: workspaceNameSchema,
  terminal: sharedTerminal,
  mode: shareModeSchema.default('view'),
  /** For whom it is: shown to everybody at the terminal as `<name> (link)`. */
  name: holderNameSchema.default('guest'),
  /** Seconds from now. Absent: SHARE_MS; null: until revoked, which has to be said. */
  expiresIn: z
    .number()
    .int()
    .min(1)
    .max(SHARE_MAX_MS / 1_000)
    .nullable()
    .optional(),
  /** How many may be there at a time. */
  viewers: z.number().int().min(1).max(SHARE_MAX_VIEWERS).default(SHARE_VIEWERS),
});
export type ShareInput = z.input<typeof shareInputSchema>;

/** One row of `GET /api/v1/shares`; never the secret. */
export const shareInfoSchema = z.object({
  id: z.string(),
  workspace: z.string(),
  /** `*`: every terminal. */
  terminal: z.string(),
  mode: shareModeSchema,
  name: z.string(),
  viewers: z.number().int(),
  state: z.enum(['active', 'expired', 'revoked']),
  createdAt: z.string(),
  /** Name of the token that made it; absent: that token is gone. */
  createdBy: z.string().optional(),
  /** Absent: until revoked. */
  expiresAt: z.string().optional(),
  revokedAt: z.string().optional(),
});
export type ShareInfo = z.infer<typeof shareInfoSchema>;

export const shareListSchema = z.object({ shares: z.array(shareInfoSchema) });

/** Answer of `POST /api/v1/shares`. The secret is shown this once; {@link formatShareLink} makes the link. */
export const shareCreatedSchema = z.object({
  share: shareInfoSchema,
  secret: z.string(),
  /** The agent's key, which belongs into the link. */
  agentKey: publicKeySchema,
  /** Origin for links. Absent: the broker knows no better one than the request went to. */
  publicUrl: z.string().optional(),
});
export type ShareCreated = z.infer<typeof shareCreatedSchema>;

/** What an answer with a ticket tells the holder of a link about it. */
export const sharedSchema = z.object({
  /** `*`: every terminal. */
  terminal: z.string(),
  mode: shareModeSchema,
  /** Absent: until revoked. */
  expiresAt: z.string().optional(),
});
export type Shared = z.infer<typeof sharedSchema>;

/** The two parts of a link that are secret or must not be changed by who stands in between. */
export interface ShareSecret {
  /** The credential: `hf_share_` and 43 characters. */
  readonly secret: string;
  /** The public key of the agent, 43 characters; whoever shows another one is not to be talked to. */
  readonly agentKey: string;
}

/** All that a link says. */
export interface ShareLink extends ShareSecret {
  /** Of the broker, such as `https://broker.example`. */
  readonly origin: string;
  readonly workspace: string;
  /** Absent: every terminal. */
  readonly terminal: TerminalId | undefined;
}

const FRAGMENT = /^#?(hf_share_[A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;
const LINK = /^(https?:\/\/[^/?#@\s]+)\/s\/([^/?#\s]+)(?:\/([^/?#\s]+))?\/?(?:\?[^#\s]*)?(#\S+)$/;

/** The path of a link: all that a server ever sees of it. */
export function sharePath(workspace: string, terminal: string | undefined): string {
  return terminal === undefined || terminal === '*'
    ? `/s/${workspace}`
    : `/s/${workspace}/${terminal}`;
}

/** The link, whole. Whoever has it is let in: treat it as a password. */
export function formatShareLink(link: {
  readonly origin: string;
  readonly workspace: string;
  /** Absent or `*`: every terminal. */
  readonly terminal: string | undefined;
  readonly secret: string;
  readonly agentKey: string;
}): string {
  return `${link.origin}${sharePath(link.workspace, link.terminal)}#${link.secret}.${link.agentKey}`;
}

/** The fragment of a link, with or without `#`. Absent: it is none. */
export function parseShareFragment(fragment: string): ShareSecret | undefined {
  const match = FRAGMENT.exec(fragment);
  const [, secret, agentKey] = match ?? [];
  return secret === undefined || agentKey === undefined ? undefined : { secret, agentKey };
}

/** Whether `text` is meant as an address rather than a name. */
export function looksLikeLink(text: string): boolean {
  return /^https?:/i.test(text);
}

/** @throws {HoldfastError} ERR_INVALID_ARGUMENT; the message never quotes the link. */
export function parseShareLink(text: string): ShareLink {
  const [, origin, workspace, terminal, fragment] = LINK.exec(text.trim()) ?? [];
  const secret = fragment === undefined ? undefined : parseShareFragment(fragment);
  if (
    origin === undefined ||
    secret === undefined ||
    !workspaceNameSchema.safeParse(workspace).success
  )
    throw notALink();
  try {
    return {
      origin,
      workspace: workspace ?? '',
      terminal: terminal === undefined ? undefined : parseTerminalId(terminal),
      ...secret,
    };
  } catch {
    throw notALink();
  }
}

function notALink(): HoldfastError {
  return new HoldfastError('ERR_INVALID_ARGUMENT', 'this is no share link, or not all of it', {
    hint: 'Copy the whole link, with all that follows the #; in a shell put it between quotes.',
  });
}
