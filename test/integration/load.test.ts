import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { WorkspaceLink } from '../../src/main/cli/workspace-link.js';
import { connectLocal } from '../../src/main/client/connection/index.js';
import { Load, type LoadOptions } from '../../src/main/load/load.js';
import { makePlan, type RawOptions } from '../../src/main/load/options/index.js';
import { resultOf, type LoadResult } from '../../src/main/load/report/index.js';
import type { AgentOptions } from '../../src/main/agent/index.js';
import { HoldfastError } from '../../src/shared/common/index.js';
import type { TerminalInfo } from '../../src/shared/common/wire/index.js';
import { linkOf } from '../../src/main/cli/workspace-link.js';
import { checkLeaks, tempDir, waitFor } from '../support/index.js';
import { startLocalAgent } from '../support/local-agent.js';
import { tamperedLink } from '../support/tampered-link.js';

checkLeaks();

const SLOW = { timeout: 120_000 };
/** Nothing but what a test asks for. */
const NOTHING: RawOptions = { terminals: '0', viewers: '1', ssh: '0', duration: '2s' };

interface Scene {
  readonly socket: string;
  load(given: RawOptions, options?: Partial<LoadOptions>, change?: LinkChange): Load;
  terminals(): Promise<TerminalInfo[]>;
  close(): Promise<void>;
}

type LinkChange = (link: WorkspaceLink) => WorkspaceLink;

/** An agent, and loads on it. */
async function scene(t: TestContext, options?: Partial<AgentOptions>): Promise<Scene> {
  const { agent, socket } = await startLocalAgent(options);
  t.after(() => agent.close());
  return {
    socket,
    load: (given, more, change = (link) => link) =>
      new Load({
        plan: makePlan({ ...NOTHING, ...given }),
        target: {
          name: 'test',
          isLocal: true,
          agentPid: undefined,
          open: async () => change(linkOf(await connectLocal({ path: socket }), undefined)),
        },
        agentPid: undefined,
        agentSocket: undefined,
        ...more,
      }),
    terminals: async () => {
      const connection = await connectLocal({ path: socket });
      const terminals = await connection.terminals();
      await connection.close();
      return terminals;
    },
    close: () => agent.close(),
  };
}

/** Has `load` go on until all of that has happened, however long it takes here, and ends it in order. */
async function performUntil(load: Load, happened: () => boolean): Promise<void> {
  const performing = load.perform();
  const enough = waitFor(() => load.phase === 'running' && happened(), { timeoutMs: 90_000 });
  enough.catch(() => undefined);
  await Promise.race([enough, performing]);
  load.stop();
  await performing;
}

function outcome(load: Load): LoadResult {
  return resultOf(load, { startedAt: new Date(), target: 'test', verdict: 'ok' });
}

/** What a person would want to know when an assertion about it fails. */
function told({ verdict, faults, samples, errors }: LoadResult): string {
  return JSON.stringify({ verdict, faults, samples, errors });
}

async function assertNothingLeft({ terminals }: Scene, load: Load): Promise<void> {
  assert.deepEqual(await terminals(), [], 'terminals');
  const files = (await readdir('/tmp')).filter((name) => name.includes(`load-${load.run}`));
  assert.deepEqual(files, [], 'files');
}

test(
  'load - prints, watches, types, runs and copies, all of it right, and leaves nothing',
  SLOW,
  async (t) => {
    const at = await scene(t);
    const load = at.load({
      terminals: '3@20KiB/s,1@max,1@silent',
      viewers: '2',
      echo: '2',
      ssh: '2',
      keys: '50/s',
      exec: '10/s',
      sftpUp: '300KiB',
      sftpDown: '200KiB',
      duration: '0',
    });
    const { counts } = load.figures;
    await performUntil(
      load,
      () =>
        counts.keys > 20 &&
        counts.sshKeys > 20 &&
        counts.execs > 0 &&
        counts.sentFileBytes > 0 &&
        counts.receivedFileBytes > 0 &&
        counts.checkedBytes > 100_000,
    );
    const result = outcome(load);
    assert.equal(result.verdict, 'ok', told(result));
    assert.deepEqual(result.errors, {});
    const { latenciesMs } = result;
    assert.equal(counts.created, 7);
    assert.equal(counts.ended, 7);
    assert.ok(result.bytesPerSecond > 0);
    assert.equal(latenciesMs.echo?.count, counts.keys);
    assert.equal(latenciesMs.sshEcho?.count, counts.sshKeys);
    assert.equal(latenciesMs.create?.count, 7);
    assert.equal(latenciesMs.attach?.count, 14);
    await assertNothingLeft(at, load);
  },
);

test('load - nothing is lost while everything comes and goes', SLOW, async (t) => {
  const at = await scene(t);
  const load = at.load({
    terminals: '6@50KiB/s,1@max,1@silent',
    viewers: '3',
    connections: '4',
    echo: '2',
    ssh: '2',
    keys: '50/s',
    exec: '10/s',
    sftpUp: '50KiB',
    attachChurn: '20/s',
    detach: '20/s',
    resize: '50/s',
    reconnect: '25%/300ms',
    createChurn: '6/s',
    duration: '0',
  });
  const { counts, latencies } = load.figures;
  await performUntil(
    load,
    () =>
      Math.min(counts.visits, counts.detaches, counts.resizes, counts.cuts) > 5 &&
      counts.created > 14 &&
      latencies.resume.summary() !== undefined,
  );
  const result = outcome(load);
  assert.equal(result.verdict, 'ok', told(result));
  assert.equal(counts.ended, counts.created);
  assert.ok((result.latenciesMs.connect?.count ?? 0) > 4);
  await assertNothingLeft(at, load);
});

test('load - terminals that nobody watches are made and ended too', SLOW, async (t) => {
  const at = await scene(t);
  const load = at.load({ terminals: '3@silent,2@1KiB/s', viewers: '0', duration: '500ms' });
  await load.perform();
  assert.equal(outcome(load).verdict, 'ok', told(outcome(load)));
  assert.equal(load.figures.counts.ended, 5);
  assert.equal(load.figures.counts.receivedBytes, 0);
  await assertNothingLeft(at, load);
});

test('load - an agent that loses, doubles or changes output is found out', SLOW, async (t) => {
  const at = await scene(t);
  // Each changes only what one frame in the middle carries, and keeps the offsets right.
  const defects: Record<string, (bytes: Uint8Array) => Uint8Array> = {
    lostBytes: (bytes) => Buffer.concat([bytes.subarray(256), bytes.subarray(0, 256)]),
    doubledBytes: (bytes) => Buffer.concat([bytes.subarray(0, 256), bytes.subarray(0, -256)]),
    corruptLines: (bytes) => bytes.with(300, (bytes[300] ?? 0) ^ 1),
  };
  for (const [fault, change] of Object.entries(defects)) {
    let frames = 0;
    const load = at.load({ terminals: '1@20KiB/s', duration: '0' }, {}, (link) =>
      tamperedLink(link, (frame) => {
        frames += 1;
        if (frames !== 5 || frame.bytes.length < 512) return frame;
        return { ...frame, bytes: Uint8Array.from(change(frame.bytes)) };
      }),
    );
    await performUntil(load, () => frames > 8);
    const result = outcome(load);
    assert.equal(result.verdict, 'faulty', fault);
    assert.ok(result.faults[fault as 'lostBytes'] > 0, `${fault}: ${told(result)}`);
    assert.match(result.samples[0] ?? '', /^load-[0-9a-f]{6}-0001 at byte \d+: /);
    await assertNothingLeft(at, load);
  }
});

test('load - gaps that are stated count as failures where that is asked for', SLOW, async (t) => {
  const at = await scene(t);
  for (const strict of [undefined, true] as const) {
    const load = at.load({
      terminals: '1@max',
      viewers: '2',
      reconnect: '50%/200ms',
      duration: '3s',
      pace: 'free',
      ...(strict === undefined ? {} : { strict }),
    });
    await load.perform();
    const result = outcome(load);
    assert.ok(result.counts.statedGaps > 0, 'a viewer that was away for a flood missed some of it');
    assert.equal(result.verdict, strict === undefined ? 'ok' : 'faulty', told(result));
  }
});

/** A shell that does `first` before it is one. */
function shellWith(first: string): string {
  const file = join(tempDir(), 'sh');
  // Without `-l`, so that no profile undoes it.
  writeFileSync(file, `#!/bin/sh\n${first}\nshift\nexec /bin/sh "$@"\n`, { mode: 0o755 });
  return file;
}

test('load - what a profile prints before the lines is not taken for them', SLOW, async (t) => {
  const at = await scene(t, { shell: shellWith('echo "Welcome to this machine"; echo "$$"') });
  const load = at.load({
    terminals: '3@10KiB/s',
    echo: '1',
    viewers: '2',
    reconnect: '1/500ms',
    detach: '5/s',
  });
  await load.perform();
  assert.equal(outcome(load).verdict, 'ok', told(outcome(load)));
  assert.ok(load.figures.counts.keys > 0);
  await assertNothingLeft(at, load);
});

test(
  'load - a workspace without stty or awk says so at once, and nothing is left',
  SLOW,
  async (t) => {
    const at = await scene(t, { shell: shellWith('PATH=/nowhere; export PATH') });
    const load = at.load({ terminals: '5@1KiB/s' });
    await assert.rejects(load.perform(), {
      code: 'ERR_SPAWN',
      message: /^the program in load-[0-9a-f]{6}-0001 ended at once; it printed: .*stty: not found/,
      hint: /sh, stty, awk and cat/,
    });
    await assertNothingLeft(at, load);
  },
);

test(
  'load - more terminals than one may have: the code of the agent, and nothing is left',
  SLOW,
  async (t) => {
    const at = await scene(t, { maxTerminalsPerSubject: 5 });
    const load = at.load({ terminals: '9@silent' });
    await assert.rejects(load.perform(), { code: 'ERR_TERMINAL_QUOTA' });
    await assertNothingLeft(at, load);
  },
);

test('load - stopped before it stands, and while it stands, it takes all back', SLOW, async (t) => {
  const at = await scene(t);
  const early = at.load({ terminals: '30@1KiB/s', ssh: '2', duration: '0' });
  const performing = early.perform();
  await waitFor(() => early.terminals > 3);
  early.stop();
  await assert.rejects(performing, { code: 'ERR_CLOSED' });
  await assertNothingLeft(at, early);

  const late = at.load({ terminals: '5@1KiB/s', ssh: '1', createChurn: '5/s', duration: '0' });
  const going = late.perform();
  await waitFor(() => late.phase === 'running');
  await waitFor(() => late.figures.counts.created > 6);
  late.stop();
  await going;
  assert.equal(outcome(late).verdict, 'ok', told(outcome(late)));
  await assertNothingLeft(at, late);
});

test(
  'load - given up in a hurry, its terminals are left to end by themselves, soon',
  SLOW,
  async (t) => {
    const at = await scene(t);
    const load = at.load({ terminals: '4@1KiB/s', duration: '0' });
    const performing = load.perform();
    await waitFor(() => load.phase === 'running');
    load.abort();
    await performing;
    const left = await at.terminals();
    assert.equal(left.length, 4);
    for (const { id, idleLimitMs } of left) {
      assert.ok(id.startsWith(`load-${load.run}-`));
      assert.equal(idleLimitMs, 60_000);
    }
  },
);

test('load - an agent that goes away for good ends it', SLOW, async (t) => {
  const at = await scene(t);
  const load = at.load({ terminals: '2@1KiB/s', ssh: '1', duration: '0' }, { awayMs: 1_500 });
  const performing = load.perform();
  performing.catch(() => undefined);
  await waitFor(() => load.phase === 'running');
  await at.close();
  await assert.rejects(performing, { code: 'ERR_AGENT_OFFLINE' });
  assert.ok(!existsSync(at.socket));
});

test('load - an agent that is too busy to answer a connection is asked again', SLOW, async (t) => {
  const at = await scene(t);
  let opened = 0;
  const target = {
    name: 'test',
    isLocal: true,
    agentPid: undefined,
    open: async () => {
      opened += 1;
      if (opened === 2 || opened === 3)
        throw new HoldfastError('ERR_PEER_TIMEOUT', 'the handshake took too long');
      return linkOf(await connectLocal({ path: at.socket }), undefined);
    },
  };
  const load = at.load(
    {
      terminals: '2@1KiB/s',
      connections: '1',
      reconnect: '1/s',
      createChurn: '10/s',
      duration: '0',
    },
    { target },
  );
  await performUntil(load, () => opened > 3 && load.figures.counts.created > 4);
  const result = outcome(load);
  assert.equal(result.verdict, 'ok', told(result));
  assert.deepEqual(Object.keys(result.errors), ['ERR_PEER_TIMEOUT']);
  await assertNothingLeft(at, load);
});
