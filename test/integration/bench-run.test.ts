import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Report } from '../../benchmarks/harness/index.js';
import { checkLeaks } from '../support/leaks.js';
import { runProgram } from '../support/programs.js';
import { tempDir } from '../support/temp-dir.js';

checkLeaks();

const RUN = new URL('../../benchmarks/run.js', import.meta.url);
const runBench = (...args: string[]) =>
  runProgram(process.execPath, [RUN.pathname, ...args], { timeoutMs: 120_000 });

test('bench - a quick run prints a table and writes what it measured', async () => {
  const json = path.join(tempDir(), 'results.json');
  const args = ['re-attach', 'create', '--quick', '--runs', '1', '--seed', '7', '--json', json];
  const { status, stdout, stderr } = await runBench(...args);
  assert.equal(status, 0, stderr);
  assert.match(stdout.toString(), /on an open connection +\d/);
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
  assert.deepEqual(
    report.cases.map(({ name }) => name),
    ['re-attach', 'create'],
  );
  assert.equal(report.seed, 7);
  assert.equal(report.scale, 'tiny');
  for (const { rows } of report.cases) {
    for (const { figures } of rows) {
      for (const { samples } of figures) {
        assert.equal(samples.length, 1);
        assert.ok(samples.every(Number.isFinite));
      }
    }
  }
});

test('bench - wrong arguments are named, and the list needs no run', async () => {
  const unknown = await runBench('no-such-case');
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /no benchmark is called no-such-case/);
  const wrong = await runBench('create', '--runs', 'many');
  assert.equal(wrong.status, 2);
  const list = await runBench('--list');
  assert.equal(list.status, 0);
  assert.match(list.stdout.toString(), /^echo-under-flood +\S/m);
});

test('bench - terminals on main are the real ones', async () => {
  const { startBenchAgent } = await import('../../benchmarks/servers/index.js');
  const { Program } = await import('../../benchmarks/harness/index.js');
  type Methods = import('../../benchmarks/programs/client-child.js').ClientMethods;
  const stops: (() => Promise<void> | void)[] = [];
  try {
    const agent = await startBenchAgent(
      { scratch: tempDir(), agentNodeOptions: [], defer: (stop) => stops.push(stop) },
      { terminals: 'main' },
    );
    const client = new Program<Methods>(
      new URL('../../benchmarks/programs/client-child.js', import.meta.url),
    );
    stops.push(() => client.stop());
    await client.call('open', { kind: 'terminal', socket: agent.socket });
    await client.call('prepareFlood', { producer: 'head -c 300000 /dev/zero' });
    assert.equal((await client.call('flood', { bytes: 300_000, redraws: false })).received, 300_000);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
});
