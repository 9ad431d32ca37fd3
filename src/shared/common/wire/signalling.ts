/**
 * Signalling: JSON messages over WebSocket, between agent and broker on `/api/v1/agent/listen` and
 * between client and broker on `/api/v1/connect`. The broker passes offers, answers and candidates on
 * unread but for their size. docs/protocol.md has the order of messages.
 */
import * as z from 'zod';
import { PEERS, SIGNAL_MESSAGE_BYTES, TICKET_BYTES } from '../limits.js';
import { sharedSchema } from './share.js';
import { publicKeySchema } from './ticket.js';

/** Stated by whoever opens the WebSocket; the broker answers any other with ERR_PROTOCOL_VERSION. */
export const SIGNALLING_VERSION = 1;

const session = z.string().regex(/^[A-Za-z0-9_-]{22}$/);
const sdp = z
  .string()
  .min(1)
  .max(SIGNAL_MESSAGE_BYTES / 2);
const candidate = z.object({
  candidate: z.string().max(1_024),
  sdpMid: z.string().max(64).nullish(),
  sdpMLineIndex: z.number().int().nullish(),
});
const ticket = z.string().max(TICKET_BYTES);
/** Ids of share links; an agent has at most one per peer. */
const shares = z.array(z.string().regex(/^[A-Za-z0-9_-]{22}$/)).max(PEERS);
const error = z.object({ code: z.string().max(64), message: z.string().max(1_000) });

/** An RTCIceServer; `credential` is short-lived. */
export const iceServerSchema = z.object({
  urls: z.union([z.string().max(512), z.array(z.string().max(512)).max(8)]),
  username: z.string().max(512).optional(),
  credential: z.string().max(512).optional(),
});
export type IceServer = z.infer<typeof iceServerSchema>;

export type IceCandidate = z.infer<typeof candidate>;

/** A key that signs tickets. `kid` names it in the header of the ticket. */
export const issuerKeySchema = z.object({ kid: z.string().max(64), key: publicKeySchema });
export type IssuerKey = z.infer<typeof issuerKeySchema>;

/** Agent to broker. `hello` comes first. */
export const agentSignalSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    version: z.number().int(),
    agentVersion: z.string().max(64),
    agentKey: publicKeySchema,
    /** `ssh-ed25519 AAAA...`, for KnownHostsCommand. */
    sshHostKey: z.string().max(512),
    /** Share links that have peers now, so that the agent learns which were revoked while it was away. */
    shares: shares.optional(),
  }),
  z.object({ type: z.literal('answer'), session, sdp }),
  z.object({ type: z.literal('candidate'), session, candidate }),
  z.object({ type: z.literal('end'), session, error: error.optional() }),
]);
export type AgentSignal = z.infer<typeof agentSignalSchema>;

/** Broker to agent. `welcome` answers `hello`. */
export const brokerToAgentSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    /** Audience of the tickets for this workspace. */
    workspaceId: z.string().max(200),
    workspace: z.string().max(64),
    /** Checked by {@link parseMetadata}, so that a bad field gets its own error. */
    metadata: z.unknown(),
    issuerKeys: z.array(issuerKeySchema).min(1).max(8),
    hasGitKey: z.boolean(),
  }),
  z.object({
    type: z.literal('offer'),
    session,
    ticket,
    sdp,
    iceServers: z.array(iceServerSchema).max(8),
  }),
  z.object({ type: z.literal('candidate'), session, candidate }),
  /** No direct path: the agent dials this path of the broker and speaks the framed engine over it. */
  z.object({ type: z.literal('relay'), session, ticket, path: z.string().max(256) }),
  z.object({ type: z.literal('end'), session }),
  /** Nobody may be connected through these share links any more. */
  z.object({ type: z.literal('revoked'), shares }),
  z.object({ type: z.literal('error'), error }),
]);
export type BrokerToAgent = z.infer<typeof brokerToAgentSchema>;

/**
 * Client to broker. `open` comes first, then either an `offer` or `relay`, or both in turn. `connected` may be the
 * last: a direct connection stands, and the end of this WebSocket is the sign that the client may be gone.
 */
export const clientSignalSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('open'), version: z.number().int(), ticket }),
  z.object({ type: z.literal('offer'), sdp }),
  z.object({ type: z.literal('candidate'), candidate }),
  /** Give up on a direct path. `ticket` is a fresh one: tickets are single use. */
  z.object({ type: z.literal('relay'), ticket }),
  z.object({ type: z.literal('connected') }),
]);
export type ClientSignal = z.infer<typeof clientSignalSchema>;

/** Broker to client. */
export const brokerToClientSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('opened'), session, iceServers: z.array(iceServerSchema).max(8) }),
  z.object({ type: z.literal('answer'), sdp }),
  z.object({ type: z.literal('candidate'), candidate }),
  z.object({ type: z.literal('relay'), path: z.string().max(256) }),
  z.object({ type: z.literal('end') }),
  z.object({ type: z.literal('error'), error }),
]);
export type BrokerToClient = z.infer<typeof brokerToClientSchema>;

/** Body of `POST /api/v1/workspaces/:name/tickets`. */
export const ticketRequestSchema = z.object({
  /** The client's ephemeral key, which it proves to hold towards the agent. */
  publicKey: publicKeySchema,
  /** Narrower than the token allows. Absent: all that it allows. */
  scopes: z.array(z.string()).max(32).optional(),
});

/** Answer to it. */
export const ticketResponseSchema = z.object({
  ticket,
  workspaceId: z.string(),
  workspace: z.string(),
  subject: z.string(),
  online: z.boolean(),
  /** Absent until the agent has connected once. Clients pin it. */
  agentKey: publicKeySchema.optional(),
  sshHostKey: z.string().optional(),
  /** What the share link that was shown is good for. Absent: a token was shown. */
  share: sharedSchema.optional(),
});
export type TicketResponse = z.infer<typeof ticketResponseSchema>;

/** Body of every HTTP error of the broker. */
export const httpErrorSchema = z.object({ error });
