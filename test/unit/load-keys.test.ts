import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyEcho } from '../../src/main/load/keys/index.js';
import { waitFor } from '../support/index.js';

/** A typist whose keys stay with us until we echo them. */
class Desk {
  readonly typed: number[] = [];
  readonly faults: [string, number][] = [];
  readonly latencies: number[] = [];
  takes = true;
  readonly keys = new KeyEcho({
    everyMs: 1,
    phase: 0,
    type: (bytes) => {
      if (this.takes) this.typed.push(...bytes);
      return this.takes;
    },
    onEcho: (ms) => this.latencies.push(ms),
    onFault: (kind, count) => this.faults.push([kind, count]),
  });

  /** Has so many keys typed, and no more. */
  async type(count: number): Promise<void> {
    this.keys.start();
    await waitFor(() => this.typed.length >= count);
    this.keys.stop();
  }

  echo(from: number, to = this.typed.length): void {
    this.keys.data(Uint8Array.from(this.typed.slice(from, to)));
  }
}

test('load keys - are typed whether they come back or not, and are all told apart', async () => {
  const desk = new Desk();
  await desk.type(50);
  assert.equal(desk.keys.outstanding, desk.typed.length);
  assert.equal(new Set(desk.typed.slice(0, 50)).size, 50);
  desk.echo(0);
  assert.equal(desk.keys.outstanding, 0);
  assert.equal(desk.latencies.length, desk.typed.length);
  assert.deepEqual(desk.faults, []);
});

test('load keys - those that are missing between others are lost', async () => {
  const desk = new Desk();
  await desk.type(20);
  desk.echo(0, 5);
  desk.echo(8);
  assert.deepEqual(desk.faults, [['lostKeys', 3]]);
  assert.equal(desk.keys.outstanding, 0);
});

test('load keys - those that come twice are doubled, and what was never a key is wrong', async () => {
  const desk = new Desk();
  await desk.type(20);
  desk.echo(0, 10);
  desk.echo(7, 10);
  assert.deepEqual(desk.faults, [
    ['doubledKeys', 1],
    ['doubledKeys', 1],
    ['doubledKeys', 1],
  ]);
  desk.keys.data(Uint8Array.of(0x0a));
  assert.deepEqual(desk.faults.at(-1), ['wrongKeys', 1]);
  desk.echo(10);
  assert.equal(desk.keys.outstanding, 0);
});

test('load keys - a session that stands still is not typed into without end', async () => {
  const desk = new Desk();
  await desk.type(1_000);
  desk.keys.start();
  await new Promise((resolve) => setTimeout(resolve, 50));
  desk.keys.stop();
  assert.equal(desk.typed.length, 1_000);
  assert.equal(desk.keys.outstanding, 1_000);
});

test('load keys - what was not taken was not typed', async () => {
  const desk = new Desk();
  desk.takes = false;
  desk.keys.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
  desk.keys.stop();
  assert.equal(desk.keys.outstanding, 0);
  assert.equal(desk.keys.typed, 0);
});

test('load keys - a new session begins anew, and the keys of the old one died with it', async () => {
  const desk = new Desk();
  await desk.type(10);
  desk.keys.abandon();
  assert.equal(desk.keys.outstanding, 0);
  const before = desk.typed.length;
  await desk.type(before + 10);
  desk.echo(before);
  assert.deepEqual(desk.faults, []);
  assert.equal(desk.keys.outstanding, 0);
});

test('load keys - at the end the last ones are waited for, and then they are lost', async () => {
  const desk = new Desk();
  await desk.type(10);
  const finished = desk.keys.finish();
  desk.echo(0);
  await finished;
  assert.deepEqual(desk.faults, []);
  await desk.type(desk.typed.length + 5);
  const missing = desk.keys.outstanding;
  await desk.keys.finish(undefined, 30);
  assert.deepEqual(desk.faults, [['lostKeys', missing]]);
  await desk.type(desk.typed.length + 5);
  await desk.keys.finish(AbortSignal.abort());
  assert.deepEqual(desk.faults, [['lostKeys', missing]]);
  assert.equal(desk.keys.outstanding, 0);
});
