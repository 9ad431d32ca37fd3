/**
 * Recordings as clients see them: rows of their list, and the channel of protocol `recording` over which
 * one is fetched.
 */
import * as z from 'zod';
import { HoldfastError } from '../errors.js';
import { LABEL_BYTES, RECORDING_NAME_LENGTH } from '../limits.js';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Whether `text` can name a recording: it becomes a file name, so nothing that a path could mean. */
export function isRecordingName(text: string): boolean {
  return text.length <= RECORDING_NAME_LENGTH && NAME.test(text) && !text.includes('..');
}

/**
 * Why a recording has ended: the program did; somebody stopped it; the agent closed; it reached its own
 * limit, or that of all; the disk is full, or failed; what writes it died too often.
 */
export const RECORDING_ENDS = [
  'exit',
  'stopped',
  'closed',
  'limit',
  'quota',
  'disk-full',
  'disk-error',
  'lost',
] as const;
export type RecordingEndReason = (typeof RECORDING_ENDS)[number];

/** One row of the list of recordings. */
export const recordingInfoSchema = z.object({
  name: z.string(),
  /** The terminal that it is of. */
  terminal: z.string(),
  /** `interrupted`: the agent ended without ending it; what was written is there. */
  state: z.enum(['recording', 'ended', 'interrupted']),
  /** Of an ended one. */
  reason: z.enum(RECORDING_ENDS).optional(),
  /** Length of its file. */
  bytes: z.number().int(),
  durationMs: z.number().int(),
  /** Output of the terminal that is not in it, in bytes. */
  missing: z.number().int(),
  startedAt: z.string(),
  /** What was typed is in it, too. */
  input: z.boolean(),
});
export type RecordingInfo = z.infer<typeof recordingInfoSchema>;

/** What can be fetched of a recording: the asciicast, or the index beside it. */
export const RECORDING_PARTS = ['cast', 'index'] as const;
export type RecordingPart = (typeof RECORDING_PARTS)[number];

/** What the label of a `recording` channel says. */
export interface RecordingLabel {
  readonly name: string;
  readonly part: RecordingPart;
  /** First byte that is wanted. */
  readonly offset: number;
}

/** Reads `<name>:<part>:<offset>`. @throws {HoldfastError} ERR_CHANNEL_LABEL. */
export function parseRecordingLabel(label: string): RecordingLabel {
  const [name = '', part, offset = '', ...more] = label.split(':');
  const known = RECORDING_PARTS.find((word) => word === part);
  const isWhole = /^[0-9]{1,15}$/.test(offset) && more.length === 0;
  if (label.length > LABEL_BYTES || known === undefined || !isWhole || !isRecordingName(name)) {
    throw new HoldfastError(
      'ERR_CHANNEL_LABEL',
      'channel label refused: no <name>:<part>:<offset>',
    );
  }
  return { name, part: known, offset: Number(offset) };
}

/** The label that {@link parseRecordingLabel} reads back. */
export function formatRecordingLabel({ name, part, offset }: RecordingLabel): string {
  return `${name}:${part}:${String(offset)}`;
}

/** First message of the agent, JSON; of `begin` the bytes of the file follow, `bytes` less the offset. */
export const recordingAnswerSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('begin'),
    /** Length of the file now; what is recorded later is not sent. */
    bytes: z.number().int(),
    recording: recordingInfoSchema,
  }),
  z.object({ type: z.literal('error'), code: z.string().max(64), message: z.string().max(1_000) }),
]);
export type RecordingAnswer = z.infer<typeof recordingAnswerSchema>;

/** Messages of the client, JSON: everything before `offset` has been dealt with. */
export const recordingAckSchema = z.object({ type: z.literal('ack'), offset: z.number().int() });
export type RecordingAck = z.infer<typeof recordingAckSchema>;
