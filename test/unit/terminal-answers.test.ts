import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { limits } from '../../src/shared/common/index.js';
import { AgentAnswers } from '../../src/workers/terminal/answers/agent-answers.js';
import { ScreenEmulator } from '../../src/workers/terminal/screen/index.js';
import type { ScreenFacts } from '../../src/workers/terminal/answers/answer-to.js';
import { AnswerTurns } from '../../src/workers/terminal/answers/answer-turns.js';
import { QueryMute } from '../../src/workers/terminal/answers/query-mute.js';
import type { Viewer } from '../../src/workers/terminal/viewer.js';
import { seededRandom } from '../support/index.js';
import { ManualClock } from '../support/manual-clock.js';

const EMULATOR = new ScreenEmulator({ rows: 24, cols: 80 });
EMULATOR.write(Buffer.from('\x1b[3;7H'));
const SCREEN: ScreenFacts = {
  size: { rows: 24, cols: 80 },
  ask: (query) => EMULATOR.ask(query),
};

/** Each query with the answer of the agent. */
const ANSWERS: readonly (readonly [query: string, answer: string])[] = [
  ['\x1b[c', '\x1b[?1;2c'],
  ['\x1b[0c', '\x1b[?1;2c'],
  ['\x1bZ', '\x1b[?1;2c'],
  ['\x1b[>c', '\x1b[>0;276;0c'],
  ['\x1b[=c', '\x1bP!|00000000\x1b\\'],
  ['\x1b[5n', '\x1b[0n'],
  ['\x1b[6n', '\x1b[3;7R'],
  ['\x1b[?6n', '\x1b[?3;7R'],
  ['\x1b[4$p', '\x1b[4;2$y'],
  ['\x1b[?25$p', '\x1b[?25;1$y'],
  ['\x1b[?9999$p', '\x1b[?9999;0$y'],
  ['\x1b[>q', '\x1bP>|holdfast\x1b\\'],
  ['\x1b]4;1;?\x07', '\x1b]4;1;rgb:cdcd/0000/0000\x07'],
  ['\x1b]4;16;?\x1b\\', '\x1b]4;16;rgb:0000/0000/0000\x1b\\'],
  ['\x1b]4;196;?\x07', '\x1b]4;196;rgb:ffff/0000/0000\x07'],
  ['\x1b]4;255;?\x07', '\x1b]4;255;rgb:eeee/eeee/eeee\x07'],
  ['\x1b]10;?\x07', '\x1b]10;rgb:d6d6/dede/e8e8\x07'],
  ['\x1b]11;?\x1b\\', '\x1b]11;rgb:0d0d/1111/1717\x1b\\'],
  ['\x1b]12;?\x07', '\x1b]12;rgb:d6d6/dede/e8e8\x07'],
  ['\x1b[?u', '\x1b[?0u'],
  ['\x1bP$qm\x1b\\', '\x1bP1$r0m\x1b\\'],
  ['\x1bP$qr\x1b\\', '\x1bP1$r1;24r\x1b\\'],
  ['\x1bP$qz\x1b\\', '\x1bP0$r\x1b\\'],
  ['\x1bP+q544e\x1b\\', '\x1bP1+r544e=787465726d2d323536636f6c6f72\x1b\\'],
  ['\x1bP+q7878\x1b\\', '\x1bP0+r7878\x1b\\'],
  ['\x1b[14t', '\x1b[4;384;640t'],
  ['\x1b[16t', '\x1b[6;16;8t'],
  ['\x1b[18t', '\x1b[8;24;80t'],
  ['\x1b[19t', '\x1b[9;24;80t'],
];

/** What is no query, or one that is never answered. */
const SILENT = [
  'text',
  '\r\n',
  '\x1b[1;31m',
  '\x1b[H',
  '\x1b[?1049h',
  '\x1b]0;c\x07',
  '\x1b]52;c;?\x07',
  '\x1b[21t',
  '\x1b[20t',
  '\x1b]10;#fff\x07',
  '\x1bP1;2q#0\x1b\\',
  'é世',
  '\x1b[8;24;80t',
  '\x1b_Gi=1;x\x1b\\',
  '\x1b(B',
];

function agent(): {
  answers: AgentAnswers;
  typed: () => string;
  clock: ManualClock;
  done: () => void;
} {
  let typed = '';
  const waiting: (() => void)[] = [];
  const clock = new ManualClock();
  const answers = new AgentAnswers({
    clock,
    type: (bytes, done) => {
      typed += Buffer.from(bytes).toString('latin1');
      waiting.push(done);
    },
  });
  const done = (): void => {
    for (const each of waiting.splice(0)) each();
  };
  return { answers, typed: () => typed, clock, done };
}

test('answers - the agent answers each kind of query as documented', () => {
  for (const [query, answer] of ANSWERS) {
    const { answers, typed } = agent();
    answers.feed(Buffer.from(query, 'latin1'), () => SCREEN);
    assert.equal(typed(), answer, JSON.stringify(query));
  }
});

test('answers - each query once, however the stream is cut, and nothing else', () => {
  const { seed } = seededRandom();
  const piece = fc.oneof(fc.constantFrom(...ANSWERS), fc.constantFrom(...SILENT));
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (list, cuts) => {
        const { answers, typed, clock, done } = agent();
        const stream = Buffer.from(
          list.map((each) => (typeof each === 'string' ? each : each[0])).join(''),
        );
        for (let at = 0, cut = 0; at < stream.length; cut += 1) {
          const end = at + (cuts[cut % Math.max(1, cuts.length)] ?? 4);
          answers.feed(stream.subarray(at, end), () => SCREEN);
          clock.advance(1_000);
          done();
          at = end;
        }
        assert.equal(
          typed(),
          list.map((each) => (typeof each === 'string' ? '' : each[1])).join(''),
        );
      },
    ),
    { seed, numRuns: 300 },
  );
});

test('answers - a program that only asks, or does not read, gets no more than the bounds', () => {
  const flood = Buffer.from('\x1b[c'.repeat(10_000));
  const { answers, typed, clock, done } = agent();
  answers.feed(flood, () => SCREEN);
  assert.equal(typed().length / '\x1b[?1;2c'.length, limits.ANSWERS_PER_SECOND);
  clock.advance(1_000);
  done();
  answers.feed(flood, () => SCREEN);
  assert.equal(typed().length / '\x1b[?1;2c'.length, limits.ANSWERS_PER_SECOND * 2);
  const stuck = agent();
  for (let round = 0; round < 1_000; round += 1) {
    stuck.answers.feed(flood.subarray(0, 300), () => SCREEN);
    stuck.clock.advance(1_000);
  }
  assert.ok(stuck.typed().length <= limits.ANSWERS_PENDING_BYTES);
});

test('answers - every byte has one answerer, and turns pass between sequences only', () => {
  const { seed } = seededRandom();
  const viewers = ['a', 'b', 'c'].map((id) => ({ id }) as unknown as Viewer);
  const piece = fc.oneof(
    fc.constantFrom(...ANSWERS.map(([query]) => query), ...SILENT),
    fc.integer({ min: 0, max: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (list) => {
      const turns = new AnswerTurns(0);
      let head = 0;
      const bytes: number[] = [];
      for (const each of list) {
        if (typeof each === 'number') {
          turns.give(viewers[each] ?? 'agent');
          continue;
        }
        // In two halves, with a change of mind between.
        const all = Buffer.from(each);
        const half = Math.floor(all.length / 2);
        turns.appended(all.subarray(0, half));
        turns.give(viewers[head % 3]);
        turns.appended(all.subarray(half));
        bytes.push(...all);
        head += all.length;
      }
      for (let offset = 0; offset < head; offset += 1) {
        const who = viewers.filter((viewer) => turns.at(offset, viewer).answers);
        assert.ok(who.length <= 1);
        const before = viewers.filter(
          (viewer) => offset > 0 && turns.at(offset - 1, viewer).answers,
        );
        if (who[0] !== before[0] && offset > 0) {
          const rest = Buffer.from(bytes.slice(offset)).toString('latin1');
          // A turn never begins inside a sequence: what is before it is complete.
          assert.doesNotMatch(
            Buffer.from(bytes.slice(0, offset)).toString('latin1'),
            /\x1b\[?[?>=]?[0-9;]*$/,
            rest,
          );
        }
      }
    }),
    { seed, numRuns: 300 },
  );
});

test('answers - a muted stream keeps its length and asks nothing', () => {
  const { seed } = seededRandom();
  const piece = fc.constantFrom(...ANSWERS.map(([query]) => query), ...SILENT, '\x05');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (list, cuts) => {
        const mute = new QueryMute();
        const stream = Buffer.from(list.join(''));
        const length = stream.length;
        for (let at = 0, cut = 0; at < length; cut += 1) {
          const end = at + (cuts[cut % Math.max(1, cuts.length)] ?? 4);
          mute.apply(stream.subarray(at, end));
          at = end;
        }
        const { answers, typed } = agent();
        answers.feed(stream, () => SCREEN);
        assert.equal(typed(), '');
        assert.ok(!stream.includes(0x05));
        // What is no query passes as it is.
        const kept = Buffer.from(list.filter((each) => SILENT.slice(0, 6).includes(each)).join(''));
        if (list.every((each) => SILENT.slice(0, 6).includes(each))) assert.deepEqual(stream, kept);
      },
    ),
    { seed, numRuns: 300 },
  );
});
