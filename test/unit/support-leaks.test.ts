import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { checkLeaks, runProgram, tempDir } from '../support/index.js';
import { writeFileSync } from 'node:fs';

checkLeaks();

const support = path.resolve(import.meta.dirname, '../support/index.js');

/** Runs a test file of its own with `body` as its test. @returns its exit status and output. */
async function runFile(body: string): Promise<{ status: number | undefined; output: string }> {
  const file = path.join(tempDir(), 'leaky.mjs');
  writeFileSync(
    file,
    `import { test, after } from 'node:test';
     import { spawn } from 'node:child_process';
     import { Worker } from 'node:worker_threads';
     import fs from 'node:fs';
     import net from 'node:net';
     import { checkLeaks } from ${JSON.stringify(support)};
     checkLeaks({ patienceMs: 200 });
     ${body}`,
  );
  // Without the variables by which a test runner's child knows itself.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = await runProgram(
    process.execPath,
    ['--test-force-exit', file],
    { env },
  );
  return { status, output: stdout.toString() + stderr };
}

const LEAKS: readonly (readonly [what: string, code: string, report: RegExp])[] = [
  ['a file', 'fs.openSync("/etc/hostname")', /descriptors: \/etc\/hostname, 0 before, 1 now/],
  ['a PTY', 'fs.openSync("/dev/ptmx", "r+")', /descriptors: a PTY master, 0 before, 1 now/],
  ['a child', 'spawn("sleep", ["2"]).unref()', /processes: process \d+ \(S\) sleep 2/],
  [
    'an orphan',
    'spawn("sh", ["-c", "sleep 2 <&- >&- 2>&- &"]); await new Promise((r) => setTimeout(r, 100))',
    /processes: process \d+ \(S\) sleep 2/,
  ],
  ['a thread', 'new Worker("setTimeout(() => {}, 2000)", { eval: true }).unref()', /threads: /],
  ['a server', 'net.createServer().listen(0)', /resources: TCPServerWrap, 0 before, 1 now/],
];

for (const [what, code, report] of LEAKS) {
  test(`leak check - ${what} left behind fails the file`, async () => {
    const { status, output } = await runFile(`test('leaks', async () => { ${code} });`);
    assert.match(output, report);
    assert.notEqual(status, 0);
  });
}

test('leak check - what hooks close counts as closed, also if they are registered later', async () => {
  const { status, output } = await runFile(`
    const server = net.createServer().listen(0);
    test('uses it', () => {});
    after(() => new Promise((done) => setTimeout(() => server.close(done), 100)));`);
  assert.equal(status, 0, output);
});
