import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits, type ErrorRecord, type ViewerId } from '../../src/shared/common/index.js';
import { Sharing } from '../../src/shared/common/terminal-client/sharing.js';
import {
  presenceJson,
  viewerEventJson,
  type Presence,
  type ViewerControl,
  type ViewerEventAt,
} from '../../src/shared/common/wire/index.js';
import { ManualClock } from '../support/manual-clock.js';

function rig() {
  const clock = new ManualClock();
  const sent: ViewerControl[] = [];
  const errors: ErrorRecord[] = [];
  const events: ViewerEventAt[] = [];
  const latencies: number[] = [];
  const sharing = new Sharing({
    clock,
    handlers: {
      presence: () => undefined,
      event: (event) => events.push(event),
      error: (error) => errors.push(error),
      latency: (ms) => latencies.push(ms),
    },
  });
  const attach = (again: boolean): void => {
    sharing.attached({
      send: (control) => sent.push(control),
      after: (ms, callback) => {
        clock.after(ms, callback);
      },
      again,
    });
  };
  const presence = (state: Partial<Presence>): void => {
    const { you = 1 as ViewerId, ...rest } = state;
    const all = { viewers: 2, pace: 'fastest', sizePolicy: 'latest', names: [], ...rest } as const;
    sharing.receivePresence(`${presenceJson(all).slice(0, -1)},"you":${String(you)}}`);
  };
  const take = (): ViewerControl[] => sent.splice(0);
  return { clock, sharing, attach, presence, take, errors, events, latencies };
}

test('client sharing - measures the way and tells it every five seconds', () => {
  const { clock, sharing, attach, take, latencies } = rig();
  attach(false);
  clock.advance(limits.VIEWER_ASK_MS);
  assert.deepEqual(take(), [{ type: 'latency', probe: 1 }]);
  clock.advance(30);
  sharing.receiveEvent(viewerEventJson(0, { type: 'probe', probe: 1 }));
  assert.deepEqual(take(), [{ type: 'latency', ms: 30 }], 'the first at once');
  clock.advance(limits.VIEWER_LATENCY_MS);
  assert.deepEqual(take(), [{ type: 'latency', ms: 30, probe: 2 }]);
  // An answer that comes after the next question says nothing of either.
  clock.advance(limits.VIEWER_LATENCY_MS);
  sharing.receiveEvent(viewerEventJson(0, { type: 'probe', probe: 2 }));
  clock.advance(12);
  sharing.receiveEvent(viewerEventJson(0, { type: 'probe', probe: 3 }));
  assert.deepEqual(latencies, [30, 42]);
  assert.equal(sharing.latencyMs, 42);
});

test('client sharing - claims the size again after a lost channel, unless somebody took it', () => {
  const { sharing, attach, presence, take } = rig();
  const you = 1 as ViewerId;
  assert.equal(sharing.control({ type: 'claim-size' }), false, 'not attached');
  attach(false);
  sharing.control({ type: 'claim-size' });
  presence({ sizePolicy: 'mine', sizeOwner: you });
  take();
  sharing.detached();
  attach(true);
  assert.deepEqual(take(), [{ type: 'claim-size' }]);
  presence({ sizePolicy: 'mine', sizeOwner: you });
  presence({ sizePolicy: 'mine', sizeOwner: 2 as ViewerId });
  sharing.detached();
  attach(true);
  assert.deepEqual(take(), [], 'it is no longer ours');
  sharing.noteSettings({ sizePolicy: 'mine' });
  sharing.control({ type: 'release-size' });
  take();
  sharing.detached();
  attach(true);
  assert.deepEqual(take(), []);
});

test('client sharing - takes control again after a lost channel if nobody else has it', () => {
  const { sharing, attach, presence, take } = rig();
  const [before, now, other] = [1, 5, 2] as ViewerId[];
  attach(false);
  presence({ you: before, driver: before });
  assert.equal(sharing.otherDriver, undefined);
  sharing.detached();
  attach(true);
  presence({ you: now, driver: undefined });
  assert.deepEqual(take(), [{ type: 'hand-over', viewer: now }]);
  presence({ you: now, driver: now });
  sharing.detached();
  attach(true);
  presence({ you: now, driver: other });
  assert.deepEqual(take(), [], 'somebody else was quicker');
  assert.equal(sharing.otherDriver, 'viewer 2');
  presence({ you: now, driver: undefined });
  sharing.detached();
  attach(true);
  presence({ you: now, driver: undefined });
  assert.deepEqual(take(), [], 'it had none to take again');
});

test('client sharing - refusals are errors, what others do are events, and the rest is nothing', () => {
  const { sharing, attach, errors, events } = rig();
  attach(false);
  sharing.receiveEvent(
    viewerEventJson(1, { type: 'refused', code: 'ERR_FORBIDDEN', message: 'no' }),
  );
  sharing.receiveEvent(
    viewerEventJson(2, { type: 'control-requested', viewer: 3 as ViewerId, subject: 'eve' }),
  );
  for (const text of ['', '{}', '[1]', '{"type":"of tomorrow"}']) {
    sharing.receiveEvent(text);
    sharing.receivePresence(text);
  }
  assert.deepEqual(errors, [{ code: 'ERR_FORBIDDEN', message: 'no' }]);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['control-requested'],
  );
});
