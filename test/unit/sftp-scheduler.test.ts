import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { collides, Scheduler, type Access } from '../../src/main/agent/sftp/scheduler.js';
import { seededRandom } from '../support/index.js';

const random = seededRandom();

const range = (kind: 'read' | 'write', key: string, from: number, to: number): Access => ({
  kind,
  key,
  from,
  to,
});

const ACCESS = fc.oneof(
  fc.constant<Access>({ kind: 'alone' }),
  fc.constant<Access>({ kind: 'look' }),
  fc.constantFrom('a', 'b').map((key): Access => ({ kind: 'list', key })),
  fc
    .tuple(
      fc.constantFrom('read' as const, 'write' as const),
      fc.constantFrom('a', 'b'),
      fc.nat(20),
      fc.nat(10),
    )
    .map(([kind, key, from, length]) => range(kind, key, from, from + length)),
);

test('sftp scheduler - what collides and what does not', () => {
  const alone: Access = { kind: 'alone' };
  const look: Access = { kind: 'look' };
  for (const other of [alone, look, range('read', 'a', 0, 1)]) {
    assert.ok(collides(alone, other));
    assert.ok(collides(other, alone));
  }
  assert.ok(!collides(look, look));
  assert.ok(!collides(look, range('read', 'a', 0, 9)));
  assert.ok(collides(range('write', 'a', 0, 9), look));
  assert.ok(!collides(range('read', 'a', 0, 9), range('read', 'a', 0, 9)));
  assert.ok(collides(range('read', 'a', 0, 9), range('write', 'a', 8, 10)));
  assert.ok(collides(range('read', 'a', 0, 9), range('write', 'a', 50, 60)));
  assert.ok(collides(range('write', 'a', 50, 60), range('read', 'a', 0, 9)));
  assert.ok(!collides(range('write', 'a', 0, 9), range('read', 'a', 9, 18)));
  assert.ok(!collides(range('write', 'a', 0, 9), range('write', 'a', 9, 18)));
  assert.ok(!collides(range('write', 'a', 0, 9), range('write', 'b', 0, 9)));
  assert.ok(collides(range('write', 'a', 0, Infinity), range('read', 'a', 5, 6)));
  assert.ok(collides({ kind: 'list', key: 'x' }, { kind: 'list', key: 'x' }));
  assert.ok(!collides({ kind: 'list', key: 'x' }, { kind: 'list', key: 'y' }));
});

test('sftp scheduler - tasks that collide run in order, never more than allowed at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(ACCESS, fc.nat(3)), { maxLength: 40 }),
      fc.integer({ min: 1, max: 8 }),
      async (tasks, parallel) => {
        const running = new Set<number>();
        const ended = new Set<number>();
        let resolveAll!: () => void;
        const all = new Promise<void>((resolve) => (resolveAll = resolve));
        const scheduler = new Scheduler({
          parallel,
          room: () => true,
          onEnd: () => {
            if (ended.size === tasks.length) resolveAll();
          },
        });
        tasks.forEach(([access, ticks], index) => {
          scheduler.add(access, 0, async () => {
            for (let earlier = 0; earlier < index; earlier += 1) {
              if (collides(tasks[earlier]![0], access)) assert.ok(ended.has(earlier));
            }
            running.add(index);
            assert.ok(running.size <= parallel);
            for (let i = 0; i < ticks; i += 1) await Promise.resolve();
            running.delete(index);
            ended.add(index);
          });
        });
        if (tasks.length > 0) await all;
        assert.equal(ended.size, tasks.length);
        assert.equal(scheduler.size, 0);
      },
    ),
    { seed: random.seed, numRuns: 300 },
  );
});

test('sftp scheduler - nothing starts without room for its reply', async () => {
  let room = false;
  let runs = 0;
  const scheduler = new Scheduler({ parallel: 8, room: () => room, onEnd: () => undefined });
  for (let i = 0; i < 3; i += 1) {
    scheduler.add({ kind: 'look' }, 1, async () => {
      runs += 1;
    });
  }
  assert.equal(runs, 0);
  room = true;
  scheduler.pump();
  await new Promise(setImmediate);
  assert.equal(runs, 3);
});

test('sftp scheduler - dropping forgets what waits and lets what runs end', async () => {
  let finish!: () => void;
  const held = new Promise<void>((resolve) => (finish = resolve));
  let later = 0;
  const scheduler = new Scheduler({ parallel: 2, room: () => true, onEnd: () => undefined });
  scheduler.add({ kind: 'alone' }, 0, () => held);
  for (let i = 0; i < 5; i += 1) {
    scheduler.add({ kind: i % 2 === 0 ? 'look' : 'alone' }, 0, async () => {
      later += 1;
    });
  }
  scheduler.drop();
  assert.equal(scheduler.size, 1);
  finish();
  await new Promise(setImmediate);
  assert.equal(later, 0);
  assert.equal(scheduler.size, 0);
});
