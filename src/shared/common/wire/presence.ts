import type { ViewerId } from '../ids.js';
import { PRESENCE_NAMES } from '../limits.js';
import { MAX_CELLS, MAX_VIEWERS, SUBJECT_CHARS } from '../limits.js';
import { PACES, SIZE_POLICIES, type Pace, type SizePolicy } from './settings.js';
import { isObject, parseObject, plainText, wholeNumber } from './untrusted.js';

/** One attached viewer, as others see it. */
export interface PresenceRow {
  readonly id: ViewerId;
  /** Who it is: cleaned of control characters, else as the ticket says. */
  readonly subject: string;
  /** What it does, which may be less than it might: an owner can choose to watch. */
  readonly mode: 'type' | 'view';
  /** Its own window. Absent: it has told none. */
  readonly rows?: number | undefined;
  readonly cols?: number | undefined;
  /** Round trip that its client measured. Absent: not known (yet). */
  readonly latencyMs?: number | undefined;
  /** Output bytes that it has not acknowledged. */
  readonly behind: number;
}

/** Who is attached to a terminal, and who decides what. */
export interface Presence {
  /** All viewers, whether or not they are in `names`. */
  readonly viewers: number;
  /** Whose window the terminal has the size of. Absent: nobody's alone. */
  readonly sizeOwner?: ViewerId | undefined;
  /** The only one whose input is taken. Absent: everybody who may type does. */
  readonly driver?: ViewerId | undefined;
  readonly pace: Pace;
  readonly sizePolicy: SizePolicy;
  /** Those who type first; at most {@link PRESENCE_NAMES}. */
  readonly names: readonly PresenceRow[];
  /** The viewer that this was sent to. Absent: it was asked for from outside. */
  readonly you?: ViewerId | undefined;
}

/** The JSON of `presence` without `you`; what no two viewers differ in is encoded once for all. */
export function presenceJson(presence: Omit<Presence, 'you'>): string {
  const { sizeOwner = null, driver = null } = presence;
  return JSON.stringify({ ...presence, sizeOwner, driver });
}

/** What the text of a `presence` frame says. Absent: it is not what docs/protocol.md describes. */
export function parsePresence(json: string): Presence | undefined {
  const value = parseObject(json);
  return value === undefined ? undefined : readPresence(value, PRESENCE_NAMES);
}

/** As {@link parsePresence}, of a value that is parsed already, with at most `maxNames` rows. */
export function readPresence(
  value: Readonly<Record<string, unknown>>,
  maxNames = MAX_VIEWERS,
): Presence | undefined {
  const viewers = wholeNumber(value['viewers']);
  const names = value['names'];
  if (viewers === undefined || !Array.isArray(names)) return undefined;
  const rows = names.slice(0, maxNames).map(readRow);
  const known = rows.filter((row) => row !== undefined);
  if (known.length < rows.length) return undefined;
  return {
    viewers,
    sizeOwner: viewerId(value['sizeOwner']),
    driver: viewerId(value['driver']),
    pace: PACES.find((pace) => pace === value['pace']) ?? 'fastest',
    sizePolicy: SIZE_POLICIES.find((policy) => policy === value['sizePolicy']) ?? 'latest',
    names: known,
    you: viewerId(value['you']),
  };
}

/** A viewer's number in JSON. Absent: it is none. */
export function viewerId(value: unknown): ViewerId | undefined {
  return wholeNumber(value) as ViewerId | undefined;
}

function readRow(value: unknown): PresenceRow | undefined {
  if (!isObject(value)) return undefined;
  const id = viewerId(value['id']);
  const subject = plainText(value['subject'], SUBJECT_CHARS);
  if (id === undefined || subject === undefined) return undefined;
  return {
    id,
    subject,
    mode: value['mode'] === 'type' ? 'type' : 'view',
    rows: cells(value['rows']),
    cols: cells(value['cols']),
    latencyMs: wholeNumber(value['latencyMs']),
    behind: wholeNumber(value['behind']) ?? 0,
  };
}

function cells(value: unknown): number | undefined {
  const count = wholeNumber(value);
  return count !== undefined && count >= 1 && count <= MAX_CELLS ? count : undefined;
}
