import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits, type ViewerId } from '../../src/shared/common/index.js';
import {
  decodeAgentFrame,
  encodePresenceCommon,
  encodePresenceFor,
  parsePresence,
  parseViewerEvent,
  presenceJson,
  viewerEventJson,
  type Presence,
} from '../../src/shared/common/wire/index.js';
import { PresenceBoard } from '../../src/workers/terminal/presence.js';
import type { Viewer } from '../../src/workers/terminal/viewer.js';
import { ManualClock } from '../support/manual-clock.js';
import { stubViewer } from '../support/stub-viewer.js';

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

function acknowledged(viewer: Viewer, bytes: number): void {
  (viewer as { acked: number }).acked += bytes;
}

function rig() {
  const clock = new ManualClock();
  const viewers = new Set<Viewer>();
  const frames = new Map<Viewer, Uint8Array[]>();
  let head = 0;
  const board = new PresenceBoard({
    clock,
    viewers,
    head: () => head,
    facts: () => ({
      sizeOwner: undefined,
      driver: undefined,
      pace: 'fastest',
      sizePolicy: 'latest',
    }),
  });
  const join = (state: Partial<Viewer> = {}): Viewer => {
    const viewer = stubViewer({
      sendPresence: (common) => {
        frames.get(viewer)?.push(common);
        return true;
      },
      ...state,
    });
    frames.set(viewer, []);
    viewers.add(viewer);
    board.joined(viewer);
    return viewer;
  };
  return {
    clock,
    viewers,
    board,
    join,
    /** What `viewer` was told, oldest first. */
    told: (viewer: Viewer): Presence[] =>
      (frames.get(viewer) ?? []).map((common) => {
        const frame = decodeAgentFrame(encodePresenceFor(common, viewer.id));
        const presence = frame.type === 'presence' ? parsePresence(frame.json) : undefined;
        assert.ok(presence !== undefined);
        assert.equal(presence.you, viewer.id);
        return presence;
      }),
    output: (bytes: number) => {
      head += bytes;
    },
  };
}

test('presence - all who come in one turn are told at once, and each who it is itself', async () => {
  const { join, told, viewers, board, clock } = rig();
  const all = [join(), join(), join()];
  await turn();
  for (const viewer of all)
    assert.deepEqual(
      told(viewer).map((presence) => presence.viewers),
      [3],
    );
  const gone = all.pop();
  assert.ok(gone !== undefined);
  viewers.delete(gone);
  board.left(gone);
  // What the first telling cost is paid for in a few milliseconds.
  clock.advance(50);
  await turn();
  assert.deepEqual(
    all.map((viewer) => told(viewer).at(-1)?.viewers),
    [2, 2],
  );
});

test('presence - what is told is encoded once for those who may type and once for the others', async () => {
  const { join } = rig();
  const commons = new Set<Uint8Array>();
  const note = {
    sendPresence: (common: Uint8Array) => {
      commons.add(common);
      return true;
    },
  };
  for (let count = 0; count < 500; count += 1) {
    join(note);
    join({ ...note, mayType: false, rights: 'view' });
  }
  await turn();
  assert.equal(commons.size, 2);
});

test('presence - a thousand viewers that come and go cost no more than the budget', async () => {
  const { join, clock, viewers, board, told } = rig();
  let bytes = 0;
  const count = (common: Uint8Array) => {
    bytes += common.length;
    return true;
  };
  for (let index = 0; index < 1_000; index += 1) {
    join({ subject: `viewer number ${String(index)}`, sendPresence: count });
  }
  await turn();
  const first = bytes;
  const seconds = 120;
  for (let tick = 0; tick < seconds * 10; tick += 1) {
    const [oldest] = viewers;
    assert.ok(oldest !== undefined);
    viewers.delete(oldest);
    board.left(oldest);
    const viewer = join({ sendPresence: count });
    board.progressed(viewer);
    clock.advance(100);
    await turn();
  }
  // The budget, and the telling that was under way when the time was over.
  assert.ok(
    bytes - first <= limits.PRESENCE_BYTES_PER_SECOND * seconds + 2 * first,
    `${bytes} bytes`,
  );
  assert.ok(bytes > first, 'and yet they are told');
  clock.advance(60_000);
  await turn();
  const last = join();
  board.progressed(last);
  clock.advance(60_000);
  await turn();
  assert.equal(told(last).at(-1)?.viewers, 1_001);
  assert.equal(told(last).at(-1)?.names.length, limits.PRESENCE_NAMES);
});

test('presence - figures are told twice a second at most, and only if they mean something', async () => {
  const { join, told, board, clock, output } = rig();
  const watcher = join();
  const slow = join();
  await turn();
  for (let step = 0; step < 40; step += 1) {
    output(100);
    board.figuresChanged();
    clock.advance(50);
    await turn();
  }
  assert.equal(told(watcher).length, 1, '4,000 bytes behind is what any link is');
  for (let step = 0; step < 40; step += 1) {
    output(1_000_000);
    slow.latencyMs = step * 100;
    board.figuresChanged();
    clock.advance(50);
    await turn();
  }
  const changes = told(watcher).length - 1;
  assert.ok(changes >= 2 && changes <= 5, `${changes} in two seconds`);
  const row = told(watcher)
    .at(-1)
    ?.names.find(({ id }) => id === slow.id);
  assert.ok((row?.behind ?? 0) > 30_000_000);
});

test('presence - whoever has all but a little is told as not behind, and that is the last that is told', async () => {
  // Was told as behind by what happened to be under way just then, for ever.
  const { join, told, board, clock, output } = rig();
  const watcher = join();
  const slow = join();
  await turn();
  const step = async (bytes: number): Promise<number | undefined> => {
    output(bytes);
    acknowledged(watcher, bytes);
    board.figuresChanged();
    clock.advance(1_000);
    await turn();
    return told(watcher)
      .at(-1)
      ?.names.find(({ id }) => id === slow.id)?.behind;
  };
  assert.equal(await step(1_000_000), 1_000_000);
  acknowledged(slow, 999_000);
  assert.equal(await step(0), 0);
});

test('presence - a viewer that takes nothing is told the latest when it does', async () => {
  const { join, told, board, clock } = rig();
  let takes = false;
  const got: Uint8Array[] = [];
  const deaf = join({
    sendPresence: (common) => {
      if (takes) got.push(common);
      return takes;
    },
  });
  const other = join();
  await turn();
  join();
  clock.advance(50);
  await turn();
  assert.equal(told(other).length, 2);
  takes = true;
  board.progressed(deaf);
  board.progressed(deaf);
  assert.equal(got.length, 1, 'once, not each that it missed');
  const frame = decodeAgentFrame(encodePresenceFor(got[0] ?? new Uint8Array(), deaf.id));
  assert.equal(frame.type === 'presence' && parsePresence(frame.json)?.viewers, 3);
});

test('presence - reads back as it was written, names cleaned of what moves a cursor', () => {
  const presence: Presence = {
    viewers: 2,
    sizeOwner: 7 as ViewerId,
    driver: undefined,
    pace: 'slowest',
    sizePolicy: 'mine',
    names: [
      {
        id: 7 as ViewerId,
        subject: 'a\u001b[2Jb\u202ec',
        mode: 'type',
        rows: 24,
        cols: 80,
        latencyMs: 3,
        behind: 9,
      },
    ],
  };
  const common = encodePresenceCommon(presenceJson(presence));
  const frame = decodeAgentFrame(encodePresenceFor(common, 8 as ViewerId));
  assert.ok(frame.type === 'presence');
  assert.deepEqual(parsePresence(frame.json), {
    ...presence,
    names: [{ ...presence.names[0], subject: 'a?[2Jb?c' }],
    you: 8,
  });
});

test('presence - any text is a presence, an event, or nothing, and never more than its bounds', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      parsePresence(text);
      parseViewerEvent(text);
    }),
  );
  const row = {
    id: 1,
    subject: 'x'.repeat(1_000),
    mode: 'root',
    rows: -1,
    cols: 5_000,
    behind: 'no',
  };
  const read = parsePresence(JSON.stringify({ viewers: 1e6, names: Array(100).fill(row) }));
  assert.equal(read?.names.length, limits.PRESENCE_NAMES);
  assert.deepEqual(read?.names[0], {
    id: 1,
    subject: 'x'.repeat(limits.SUBJECT_CHARS),
    mode: 'view',
    rows: undefined,
    cols: undefined,
    latencyMs: undefined,
    behind: 0,
  });
  for (const bad of [
    '[]',
    'null',
    '{}',
    '{"viewers":-1,"names":[]}',
    '{"viewers":1,"names":[1]}',
  ]) {
    assert.equal(parsePresence(bad), undefined, bad);
  }
});

test('viewer events - read back as they were written; unknown ones are nothing', () => {
  const viewer = 3 as ViewerId;
  for (const event of [
    { type: 'control-requested', viewer, subject: 'ann' },
    { type: 'control-granted', viewer, subject: 'ann', by: 'bob' },
    { type: 'control-released', viewer, subject: 'ann' },
    { type: 'viewer-dropped', viewer, subject: 'ann', by: 'bob' },
    { type: 'refused', code: 'ERR_NOT_DRIVER', message: 'no', bytes: 5 },
    { type: 'probe', probe: 4 },
    { type: 'cwd', path: '/' },
    { type: 'command-end', command: 'ls', status: 0, durationMs: 5 },
  ] as const) {
    assert.deepEqual(parseViewerEvent(viewerEventJson(9, event)), { offset: 9, ...event });
  }
  assert.equal(parseViewerEvent('{"offset":1,"type":"of tomorrow"}'), undefined);
  assert.equal(parseViewerEvent('{"offset":1,"type":"control-granted","viewer":"x"}'), undefined);
});
