/**
 * The control channel: protocol `control`, the first channel of every connection, JSON messages.
 * First the two ends prove who they are (types `hello` to `authenticated`), then it carries requests.
 */
import * as z from 'zod';
import {
  COMMAND_BYTES,
  COMMAND_WORDS,
  IDLE_MAX_MS,
  MAX_CELLS,
  MIN_CELLS,
  PATH_BYTES,
  RECORDING_NAME_LENGTH,
  WAIT_MAX_MS,
} from '../limits.js';
import { recordingInfoSchema } from './recordings.js';
import { publicKeySchema } from './ticket.js';

/** Stated by both ends in `hello`; a mismatch is ERR_PROTOCOL_VERSION. */
export const PEER_PROTOCOL_VERSION = 1;

const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/);
const nonce = base64url.length(43);
const signature = base64url.length(86);
const errorRecord = z.object({ code: z.string().max(64), message: z.string().max(1_000) });
const requestId = z.number().int();
const terminal = z.string().max(64);
const viewer = z.number().int().min(0);
const cells = z.number().int().min(MIN_CELLS).max(MAX_CELLS);
const idleMs = z.number().int().min(0).max(IDLE_MAX_MS);

/** How a command or terminal ended, as {@link ExitStatus}. */
export const exitStatusSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('status'), status: z.number().int() }),
  z.object({ kind: z.literal('signal'), signal: z.string() }),
  z.object({ kind: z.literal('unknown') }),
]);

/**
 * What carries the client's bytes, as both ends sign it. `werift` has a DTLS exporter and binds it wherever the
 * other end has one, since werift does not verify the other end's key; `browser` and `native` verify it but have no
 * exporter; `framed` has no DTLS at all.
 */
export const PEER_ENGINES = ['werift', 'browser', 'native', 'framed'] as const;
export type PeerEngine = (typeof PEER_ENGINES)[number];

/** What carries the agent's bytes. */
export const AGENT_ENGINES = ['werift', 'native', 'framed'] as const;
export type AgentEngine = (typeof AGENT_ENGINES)[number];

/** Client to agent, in this order: `hello`, `proof`, then requests. */
export const clientControlSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    version: z.number().int(),
    nonce,
    engine: z.enum(PEER_ENGINES),
    /** It reads the agent's engine in the agent's `hello`. Absent: a client from before agents had more than one. */
    pairs: z.boolean().optional(),
  }),
  z.object({ type: z.literal('proof'), signature }),
  z.object({ type: z.literal('ping'), id: z.number().int() }),
  z.object({ type: z.literal('terminals'), id: z.number().int() }),
  z.object({
    type: z.literal('kill'),
    id: requestId,
    terminal,
    /** Only send this signal to the terminal's processes. Absent: end them, and forget an exited one. */
    signal: z
      .string()
      .regex(/^SIG[A-Z0-9]{1,12}$/)
      .optional(),
  }),
  /** Starts a terminal unless one of this name runs. */
  z.object({
    type: z.literal('create'),
    id: requestId,
    terminal,
    /** What to run, one string for each argument. Absent: the user's shell. */
    command: z.array(z.string().max(COMMAND_BYTES)).min(1).max(COMMAND_WORDS).optional(),
    /** Where. Absent: as the agent says. */
    directory: z.string().min(1).max(PATH_BYTES).optional(),
    rows: cells,
    cols: cells,
    /** Life with nobody attached; 0: for ever. Absent: as the agent says. */
    idleMs: idleMs.optional(),
  }),
  z.object({ type: z.literal('set-idle'), id: requestId, terminal, idleMs }),
  /** Answered when the next command ends, or the terminal. */
  z.object({
    type: z.literal('wait'),
    id: requestId,
    terminal,
    timeoutMs: z.number().int().min(0).max(WAIT_MAX_MS).optional(),
  }),
  z.object({
    type: z.literal('record'),
    id: requestId,
    terminal,
    /** What is typed, too, but for what nobody sees. */
    input: z.boolean().optional(),
    /** Absent: made from the terminal and the time. */
    name: z.string().max(RECORDING_NAME_LENGTH).optional(),
  }),
  z.object({
    type: z.literal('stop-recording'),
    id: requestId,
    name: z.string().max(RECORDING_NAME_LENGTH),
  }),
  z.object({ type: z.literal('recordings'), id: requestId }),
  z.object({
    type: z.literal('delete-recording'),
    id: requestId,
    name: z.string().max(RECORDING_NAME_LENGTH),
  }),
  z.object({ type: z.literal('viewers'), id: requestId, terminal }),
  z.object({ type: z.literal('drop'), id: requestId, terminal, viewer }),
]);
export type ClientControl = z.infer<typeof clientControlSchema>;

/** One row of the list of terminals. */
export const terminalInfoSchema = z.object({
  id: z.string(),
  state: z.enum(['starting', 'running', 'exited']),
  rows: z.number().int(),
  cols: z.number().int(),
  viewers: z.number().int(),
  /** Output so far. */
  bytes: z.number().int(),
  /** Since anybody typed or was attached. */
  idleMs: z.number().int(),
  createdAt: z.string(),
  title: z.string(),
  /** Of its log; an attach that names it sees the end of an exited terminal instead of a new one. */
  epoch: z.string().optional(),
  /** Who started it. */
  owner: z.string().optional(),
  /** What runs in the foreground, as one line without control characters. Absent: not known. */
  command: z.string().optional(),
  /** Where: as the program says (OSC 7), else as the system does. */
  cwd: z.string().optional(),
  /** Life with nobody attached; 0: for ever. */
  idleLimitMs: z.number().int().optional(),
  /** The shell tells where commands begin and end (OSC 133). */
  shellIntegration: z.boolean().optional(),
  /** Status of the last command that ended, as the shell said. */
  lastStatus: z.number().int().optional(),
  /** Only of an exited one, as `endedAt`. */
  exit: exitStatusSchema.optional(),
  endedAt: z.string().optional(),
  /** Name of the recording that is being made of it. */
  recording: z.string().optional(),
});
export type TerminalInfo = z.infer<typeof terminalInfoSchema>;

/** Agent to client. Each answer repeats the `id` of its request. */
export const agentControlSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    version: z.number().int(),
    nonce,
    agentKey: publicKeySchema,
    /** What carries the agent's bytes. Absent: `werift` or `framed`. */
    engine: z.enum(AGENT_ENGINES).optional(),
  }),
  z.object({ type: z.literal('proof'), signature }),
  z.object({
    type: z.literal('authenticated'),
    workspace: z.string(),
    subject: z.string(),
    scopes: z.array(z.string()),
    agentVersion: z.string(),
  }),
  z.object({ type: z.literal('pong'), id: z.number().int() }),
  z.object({
    type: z.literal('terminals'),
    id: z.number().int(),
    terminals: z.array(terminalInfoSchema),
    /** The rest of the list follows in another message with the same `id`. */
    more: z.boolean().optional(),
  }),
  z.object({ type: z.literal('killed'), id: z.number().int() }),
  z.object({
    type: z.literal('created'),
    id: requestId,
    /** False: one of this name runs already, and is left as it is. */
    created: z.boolean(),
    /** Of the one that runs now. */
    epoch: z.string().regex(/^[0-9a-f]{16}$/),
  }),
  z.object({ type: z.literal('idle-set'), id: requestId }),
  z.object({
    type: z.literal('command'),
    id: requestId,
    /** Whether a command in the terminal ended, or the terminal itself. */
    ended: z.enum(['command', 'terminal']),
    /** `unknown`: the shell did not say, or the terminal was ended from outside. */
    exit: exitStatusSchema,
    command: z.string().optional(),
    durationMs: z.number().int().optional(),
  }),
  /** Answers `record` and `stop-recording`. */
  z.object({
    type: z.literal('recording'),
    id: requestId,
    recording: recordingInfoSchema,
  }),
  z.object({
    type: z.literal('recordings'),
    id: requestId,
    recordings: z.array(recordingInfoSchema),
    /** The rest of the list follows in another message with the same `id`. */
    more: z.boolean().optional(),
  }),
  z.object({ type: z.literal('recording-deleted'), id: requestId }),
  z.object({
    type: z.literal('viewers'),
    id: requestId,
    /** As in a `presence` frame, without `you`; see `readPresence`. */
    presence: z.record(z.string(), z.unknown()),
    /** More of `names` follow in another message with the same `id`. */
    more: z.boolean().optional(),
  }),
  z.object({ type: z.literal('dropped'), id: requestId }),
  /** Without `id` the whole connection is refused and closes; with it, that request. */
  z.object({ type: z.literal('error'), id: z.number().int().optional(), error: errorRecord }),
]);
export type AgentControl = z.infer<typeof agentControlSchema>;

/** Everything that both ends sign; see {@link peerTranscript}. */
export interface PeerTranscript {
  /** The client's, see {@link PEER_ENGINES}, or both as `werift native`. */
  readonly engine: string;
  readonly workspace: string;
  readonly ticketId: string;
  readonly clientNonce: string;
  readonly agentNonce: string;
  /** SHA-256 fingerprint of each DTLS certificate, upper-case hex with colons; `absent` without DTLS. */
  readonly clientFingerprint: string;
  readonly agentFingerprint: string;
  /** DTLS exporter value in base64url, or `absent` where an end has no access to it (a browser). */
  readonly exporter: string;
}

/** Label of the exporter (RFC 5705) whose value the transcript binds. */
export const EXPORTER_LABEL = 'EXPORTER-holdfast-peer-v1';
export const EXPORTER_BYTES = 32;

/**
 * The exact bytes that `role` signs: one line per field in fixed order, each field free of line
 * breaks, so that no two transcripts share an encoding. The role is in it, so that a signature of one
 * side can never be sent back as the other's.
 */
export function peerTranscript(
  role: 'agent' | 'client',
  fields: PeerTranscript,
): Uint8Array<ArrayBuffer> {
  const lines = [
    `holdfast-peer-v${String(PEER_PROTOCOL_VERSION)}`,
    role,
    fields.engine,
    fields.workspace,
    fields.ticketId,
    fields.clientNonce,
    fields.agentNonce,
    fields.clientFingerprint,
    fields.agentFingerprint,
    fields.exporter,
  ];
  if (lines.some((line) => /[\r\n]/.test(line)))
    throw new TypeError('line break in a transcript field');
  return new TextEncoder().encode(lines.join('\n'));
}
