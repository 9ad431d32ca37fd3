import { assertNever } from '../../../shared/common/index.js';
import type { ViewerEventAt } from '../../../shared/common/wire/index.js';

/** What to say of `event` to somebody at a terminal. Absent: nothing. */
export function describeEvent(event: ViewerEventAt): string | undefined {
  switch (event.type) {
    case 'control-requested':
      return `${event.subject} (viewer ${String(event.viewer)}) asks for control; ~c at the start of a line gives it`;
    case 'control-granted':
      return event.by === undefined
        ? `${event.subject} has taken control; only they type now`
        : `${event.by} gave control to ${event.subject}; only they type now`;
    case 'control-released':
      return `${event.by ?? event.subject} ended the control; everybody types again`;
    case 'viewer-dropped':
      return `${event.by ?? 'the owner'} ended the viewing of ${event.subject}`;
    case 'recording':
      return event.on ? 'this terminal is being recorded' : 'the recording has ended';
    case 'cwd':
    case 'command-start':
    case 'command-end':
    case 'refused':
    case 'probe':
      return undefined;
    default:
      return assertNever(event);
  }
}
