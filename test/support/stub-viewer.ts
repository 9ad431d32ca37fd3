import type { ViewerId } from '../../src/shared/common/index.js';
import type { Viewer } from '../../src/workers/terminal/viewer.js';

let lastId = 0;

/** A viewer that takes everything and says nothing, but for `state`. */
export function stubViewer(state: Partial<Viewer> = {}): Viewer {
  lastId += 1;
  return {
    id: lastId as ViewerId,
    subject: 'somebody',
    client: undefined,
    mayType: true,
    rights: 'type',
    created: false,
    isOwner: false,
    ready: true,
    alwaysCounts: false,
    size: undefined,
    window: undefined,
    latencyMs: undefined,
    cursor: 0,
    acked: 0,
    progressAt: 0,
    room: 1,
    nextSize: 0,
    nextEvent: 0,
    backlogMs: () => undefined,
    sendOutput: () => undefined,
    sendGap: () => undefined,
    sendRest: () => undefined,
    sendSize: () => undefined,
    sendPresence: () => true,
    sendEvent: () => undefined,
    sendShell: () => true,
    sendExit: () => undefined,
    end: () => undefined,
    ...state,
  };
}
