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
  const args = ['crowd', 'sftp', '--quick', '--runs', '1', '--seed', '7', '--json', json];
  const { status, stdout, stderr } = await runBench(...args);
  assert.equal(status, 0, stderr);
  assert.match(stdout.toString(), /^ +holdfast +\d/m);
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
  assert.deepEqual(
    report.cases.map(({ name }) => name),
    ['crowd', 'sftp'],
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
  const wrong = await runBench('sftp', '--runs', 'many');
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
    await client.call('open', {
      kind: 'terminal',
      path: { kind: 'local', socket: agent.socket },
    });
    await client.call('prepareFlood', { producer: 'head -c 300000 /dev/zero' });
    assert.equal(
      (await client.call('flood', { bytes: 300_000, redraws: false })).received,
      300_000,
    );
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
});

test('bench - viewers that only count get every byte, and say what they missed', async () => {
  const { startBenchAgent } = await import('../../benchmarks/servers/index.js');
  const { Program } = await import('../../benchmarks/harness/index.js');
  type Methods = import('../../benchmarks/programs/viewers-child.js').ViewersMethods;
  const stops: (() => Promise<void> | void)[] = [];
  try {
    const agent = await startBenchAgent(
      { scratch: tempDir(), agentNodeOptions: [], defer: (stop) => stops.push(stop) },
      { terminals: 'workers' },
    );
    const viewers = new Program<Methods>(
      new URL('../../benchmarks/programs/viewers-child.js', import.meta.url),
    );
    stops.push(() => viewers.stop());
    const bytes = 700_000;
    const script = `stty raw -echo; head -c1 >/dev/null; head -c ${String(bytes)} /dev/zero; exec cat`;
    await viewers.call('start', {
      ...{ socket: agent.socket, viewers: 3, typists: 'all' },
      commands: [
        ['/bin/sh', '-c', script],
        ['/bin/sh', '-c', script],
      ],
    });
    await viewers.call('type', { terminal: 0, text: 'g' });
    await viewers.call('type', { terminal: 1, text: 'g' });
    await viewers.call('settled', { bytes });
    const figures = await viewers.call('figures', {});
    assert.equal(figures.received + figures.missed, 6 * bytes);
    assert.deepEqual(figures.byTerminal, [bytes, bytes]);
    assert.equal(figures.byViewer.length, 3);
    assert.equal(figures.defects, 0);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
});
