import { isErrorCode, type ErrorCode } from '../errors.js';
import type { ViewerId } from '../ids.js';
import { ERROR_MESSAGE_CHARS, SUBJECT_CHARS } from '../limits.js';
import { parseObject, plainText, wholeNumber } from './untrusted.js';
import { viewerId } from './presence.js';

/** The longest path of Linux; a command line as shown is cut there as well. */
const PATH_CHARS = 4_096;

/** Who an event is about, and who did it. */
interface About {
  readonly viewer: ViewerId;
  readonly subject: string;
  /** Subject of who did it. Absent: the viewer itself, or nobody. */
  readonly by?: string | undefined;
}

/** Something that happened at a terminal, as the `event` frame tells it. All text is untrusted. */
export type ViewerEvent =
  /** The shell is in this folder now (OSC 7). */
  | { readonly type: 'cwd'; readonly path: string }
  /** The shell runs a command (OSC 133), or it has ended; what the shell did not say is absent. */
  | { readonly type: 'command-start'; readonly command?: string | undefined }
  | {
      readonly type: 'command-end';
      readonly command?: string | undefined;
      readonly status?: number | undefined;
      readonly durationMs?: number | undefined;
    }
  /** The terminal is recorded from now on, or is not any more. */
  | { readonly type: 'recording'; readonly on: boolean }
  /** Somebody would like to type, or to type alone. */
  | ({ readonly type: 'control-requested' } & About)
  /** Only this viewer types from now on. */
  | ({ readonly type: 'control-granted' } & About)
  /** Everybody who may type does again; the viewer is who typed alone until now. */
  | ({ readonly type: 'control-released' } & About)
  | ({ readonly type: 'viewer-dropped' } & About)
  /** What this viewer asked for was not done. With `bytes`: so much of its input was not typed. */
  | {
      readonly type: 'refused';
      readonly code: ErrorCode;
      readonly message: string;
      readonly bytes?: number | undefined;
    }
  /** Answer to the probe of a `latency` control. */
  | { readonly type: 'probe'; readonly probe: number };

/** An event with the log position at which it happened. */
export type ViewerEventAt = ViewerEvent & { readonly offset: number };

/** The text of an `event` frame. */
export function viewerEventJson(offset: number, event: ViewerEvent): string {
  return JSON.stringify({ offset, ...event });
}

/** What the text of an `event` frame says. Absent: nothing that this version knows. */
export function parseViewerEvent(json: string): ViewerEventAt | undefined {
  const value = parseObject(json);
  if (value === undefined) return undefined;
  const offset = wholeNumber(value['offset']) ?? 0;
  switch (value['type']) {
    case 'cwd': {
      const path = plainText(value['path'], PATH_CHARS);
      return path === undefined ? undefined : { type: 'cwd', offset, path };
    }
    case 'command-start':
      return { type: 'command-start', offset, ...commandOf(value) };
    case 'command-end': {
      const status = wholeNumber(value['status']);
      const durationMs = wholeNumber(value['durationMs']);
      return {
        type: 'command-end',
        offset,
        ...commandOf(value),
        ...(status === undefined ? {} : { status }),
        ...(durationMs === undefined ? {} : { durationMs }),
      };
    }
    case 'recording': {
      const { on } = value;
      return typeof on === 'boolean' ? { type: 'recording', offset, on } : undefined;
    }
    case 'control-requested':
    case 'control-granted':
    case 'control-released':
    case 'viewer-dropped': {
      const viewer = viewerId(value['viewer']);
      const subject = plainText(value['subject'], SUBJECT_CHARS);
      if (viewer === undefined || subject === undefined) return undefined;
      const by = plainText(value['by'], SUBJECT_CHARS);
      return { type: value['type'], offset, viewer, subject, ...(by === undefined ? {} : { by }) };
    }
    case 'refused': {
      const { code } = value;
      const message = plainText(value['message'], ERROR_MESSAGE_CHARS) ?? '';
      const bytes = wholeNumber(value['bytes']);
      return {
        type: 'refused',
        offset,
        code: isErrorCode(code) ? code : 'ERR_PROTOCOL',
        message,
        ...(bytes === undefined ? {} : { bytes }),
      };
    }
    case 'probe': {
      const probe = wholeNumber(value['probe']);
      return probe === undefined ? undefined : { type: 'probe', offset, probe };
    }
    default:
      return undefined;
  }
}

function commandOf(value: Readonly<Record<string, unknown>>): { readonly command?: string } {
  const command = plainText(value['command'], PATH_CHARS);
  return command === undefined ? {} : { command };
}
