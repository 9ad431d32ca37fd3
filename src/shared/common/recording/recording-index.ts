import type { TerminalSize } from '../wire/index.js';

/** The first line of every index. */
export const INDEX_VERSION = 1;

/** A place in a recording from which it can be played: where, when, and what the screen shows there. */
export interface Keyframe extends TerminalSize {
  /** Byte position in the file, always at the beginning of a line. */
  readonly position: number;
  /** Time of the last event before it, in ms from the beginning. */
  readonly at: number;
  /** Brings a fresh emulator of that size to the screen there. */
  readonly screen: string;
}

/** How a recording ended. */
export interface RecordingEnd {
  readonly reason: string;
  readonly durationMs: number;
  /** Length of the recording's file. */
  readonly bytes: number;
  /** Output of the terminal that is not in it, in bytes. */
  readonly missing: number;
}

/** One line of an index. */
export type IndexEntry =
  | { readonly type: 'index'; readonly version: number }
  | ({ readonly type: 'keyframe' } & Keyframe)
  | ({ readonly type: 'end' } & RecordingEnd);

export interface RecordingIndex {
  /** In order of their positions. */
  readonly keyframes: readonly Keyframe[];
  /** Absent: it is still being recorded, or whoever did so died. */
  readonly end: RecordingEnd | undefined;
}

export function encodeIndexEntry(entry: IndexEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/**
 * Reads an index, or as much of it as there is. What does not read like one of its lines is passed over:
 * an index only makes seeking quick, and a recording plays without.
 */
export function parseIndex(text: string): RecordingIndex {
  const keyframes: Keyframe[] = [];
  let end: RecordingEnd | undefined;
  const [first = '', ...lines] = text.split('\n');
  const head = parseEntry(first);
  if (head?.['type'] !== 'index' || head['version'] !== INDEX_VERSION) return { keyframes, end };
  for (const line of lines) {
    const entry = parseEntry(line);
    if (entry === undefined) continue;
    if (isKeyframe(entry)) {
      if (entry.position > (keyframes.at(-1)?.position ?? 0)) keyframes.push(entry);
    } else if (isEnd(entry)) {
      end = entry;
    }
  }
  return { keyframes, end };
}

/** The last keyframe at or before `at`. Absent: play from the beginning. */
export function keyframeBefore(keyframes: readonly Keyframe[], at: number): Keyframe | undefined {
  return keyframes.findLast((keyframe) => keyframe.at <= at);
}

function parseEntry(line: string): Record<string, unknown> | undefined {
  if (line === '') return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function isKeyframe(entry: Record<string, unknown>): entry is Record<string, unknown> & Keyframe {
  return (
    entry['type'] === 'keyframe' &&
    ['position', 'at', 'rows', 'cols'].every((name) => isCount(entry[name])) &&
    typeof entry['screen'] === 'string'
  );
}

function isEnd(entry: Record<string, unknown>): entry is Record<string, unknown> & RecordingEnd {
  return (
    entry['type'] === 'end' &&
    ['durationMs', 'bytes', 'missing'].every((name) => isCount(entry[name])) &&
    typeof entry['reason'] === 'string'
  );
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
