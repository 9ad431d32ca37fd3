import assert from 'node:assert/strict';
import { test } from 'node:test';
import { styleFor } from '../../src/main/cli/output/index.js';
import { Load, type Phase } from '../../src/main/load/load.js';
import { makePlan, type RawOptions } from '../../src/main/load/options/index.js';
import {
  formatSummary,
  Progress,
  resultOf,
  type LoadResult,
} from '../../src/main/load/report/index.js';
import {
  amount,
  clockTime,
  counted,
  milliseconds,
  percent,
} from '../../src/main/load/report/format.js';
import { HoldfastError } from '../../src/shared/common/index.js';
import { checkLeaks } from '../support/index.js';

checkLeaks();

const plain = styleFor({}, {});

/** A load on an agent that is not there. */
function loadOnNothing(given: RawOptions = {}, onPhase?: (phase: Phase) => void): Load {
  return new Load({
    plan: makePlan({ seed: '7', ...given }),
    target: {
      name: 'test',
      isLocal: true,
      agentPid: undefined,
      open: () => Promise.reject(new HoldfastError('ERR_AGENT_OFFLINE', 'nobody is there')),
    },
    agentPid: undefined,
    agentSocket: undefined,
    ...(onPhase === undefined ? {} : { onPhase }),
  });
}

function outcome(load: Load): LoadResult {
  return resultOf(load, { startedAt: new Date(0), target: 'test', verdict: 'ok' });
}

test('load report - figures as people read them', () => {
  assert.deepEqual([0.001, 9.999, 12.34, 123.4, 9_999, 12_345].map(milliseconds), [
    '0.00 ms',
    '10.00 ms',
    '12.3 ms',
    '123 ms',
    '9999 ms',
    '12.3 s',
  ]);
  assert.deepEqual([0, 9_999, 12_345, 1_234_567].map(amount), ['0', '9999', '12 k', '1.2 M']);
  assert.deepEqual([0, 5_000, 754_000, 3_723_999].map(clockTime), [
    '0:00',
    '0:05',
    '12:34',
    '1:02:03',
  ]);
  assert.deepEqual([0.012, 0.5, 1.5].map(percent), ['1.2 %', '50 %', '150 %']);
  assert.deepEqual([counted(1, 'gap'), counted(2, 'gap')], ['1 gap', '2 gaps']);
});

test('load report - a fault makes it faulty, and is named with its particulars', () => {
  const load = loadOnNothing();
  assert.equal(outcome(load).verdict, 'ok');
  load.figures.fault('lostBytes', 128, 'load-x-0001 at byte 5: 128 bytes lost');
  load.figures.error('ERR_PEER_LIMIT', 'too many\x1b[2J');
  const result = outcome(load);
  assert.equal(result.verdict, 'faulty');
  const text = formatSummary(result, plain);
  assert.match(text, /\n {2}FAULTY: 128 bytes of output lost\.\n {4}load-x-0001 at byte 5: 128/);
  assert.match(text, /\n {2}ERR_PEER_LIMIT once: too many/);
  assert.ok(!text.includes('\x1b'), 'nothing that an agent said moves the cursor');
  assert.ok(!/undefined|NaN/.test(text), text);
});

test('load report - gaps that were stated are told of, and are faults where that is asked for', () => {
  const usual = loadOnNothing();
  const strict = loadOnNothing({ strict: true });
  for (const { figures } of [usual, strict]) {
    figures.counts.statedGaps = 2;
    figures.counts.statedBytes = 4_096;
  }
  const text = formatSummary(outcome(usual), plain);
  assert.match(text, /2 gaps of 4\.0 KiB in all that viewers were told of/);
  assert.match(text, /Nothing was lost/);
  assert.match(formatSummary(outcome(strict), plain), /FAULTY: 2 stated gaps\./);
});

test('load report - what goes on is drawn over what was there, within the columns', () => {
  const load = loadOnNothing();
  const written: string[] = [];
  const stream = { isTTY: true, columns: 40, write: (text: string) => written.push(text) };
  const progress = new Progress(load, 'a-workspace-with-a-name', stream, plain);
  progress.start();
  progress.update();
  progress.stop();
  const [first = '', second = '', last] = written;
  assert.match(first, /^a-workspace-with-a-name: making 2 conn/);
  const lines = first.split('\n').slice(0, -1);
  for (const line of lines) assert.ok(line.replace('\x1b[K', '').length < 40, line);
  const back = `\x1b[${String(lines.length)}A\r`;
  assert.ok(second.startsWith(back));
  assert.equal(last, `${back}\x1b[J`);
});

test('load report - elsewhere than on a terminal each phase has one line', async () => {
  const written: string[] = [];
  const phases: Phase[] = [];
  const load = loadOnNothing({}, (phase) => {
    phases.push(phase);
    progress.update();
  });
  const progress = new Progress(load, 'test', { write: (text) => written.push(text) }, plain);
  progress.start();
  await assert.rejects(load.perform(), { code: 'ERR_AGENT_OFFLINE' });
  progress.stop();
  assert.deepEqual(phases, ['ending', 'done']);
  assert.deepEqual(written, ['test: making 2 connections\n', 'test: taking everything back\n']);
});
