import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/shared/common/index.js';
import { AgentAnswers } from '../../src/workers/terminal/answers/agent-answers.js';
import { ScreenEmulator } from '../../src/workers/terminal/screen/index.js';
import { checkLeaks } from '../support/leaks.js';
import { tempDir, waitFor } from '../support/index.js';
import { scriptedTerminals } from '../support/scripted-terminals.js';
import { openChannel, TestViewer, type ViewerOptions } from '../support/terminals.js';

checkLeaks();

/** The 14 kinds of query, each with how its answer looks; nobody ever answers the read of the clipboard. */
const QUERIES: readonly (readonly [query: string, answer: RegExp | undefined])[] = [
  ['\x1b[c', /\x1b\[\?[0-9;]+c/g],
  ['\x1b[>c', /\x1b\[>[0-9;]+c/g],
  ['\x1b[=c', /\x1bP!\|[0-9A-F]+\x1b\\/g],
  ['\x1b[5n', /\x1b\[0n/g],
  ['\x1b[6n', /\x1b\[[0-9]+;[0-9]+R/g],
  ['\x1b[?6n', /\x1b\[\?[0-9]+;[0-9]+R/g],
  ['\x1b[?25$p', /\x1b\[\?25;[0-4]\$y/g],
  ['\x1b[>q', /\x1bP>\|[^\x1b]+\x1b\\/g],
  ['\x1b]11;?\x07', /\x1b\]11;rgb:[0-9a-f/]+\x07/g],
  ['\x1b]52;c;?\x07', undefined],
  ['\x1b[?u', /\x1b\[\?[0-9]+u/g],
  ['\x1bP$qm\x1b\\', /\x1bP1\$r[0-9;]+m\x1b\\/g],
  ['\x1bP+q544e\x1b\\', /\x1bP1\+r544e=[0-9a-f]+\x1b\\/g],
  ['\x1b[18t', /\x1b\[8;[0-9]+;[0-9]+t/g],
];

/** What a program in the terminal runs: asks everything once the gate is there, and notes what it is told. */
const PROGRAM = `
  const { existsSync, renameSync, writeFileSync } = require('node:fs');
  const [folder, queries] = [process.argv[1], JSON.parse(process.argv[2])];
  let told = '';
  process.stdin.setRawMode(true);
  process.stdin.on('data', (bytes) => { told += bytes.toString('latin1'); });
  process.stdout.write('ready');
  const poll = setInterval(() => {
    if (!existsSync(folder + '/ask')) return;
    clearInterval(poll);
    told = '';
    for (const query of queries) process.stdout.write(query + 'x');
    setTimeout(() => {
      // Whoever finds it finds it whole.
      writeFileSync(folder + '/telling', told);
      renameSync(folder + '/telling', folder + '/told');
      process.stdout.write('end');
    }, 1000);
  }, 20);
`;

const { terminals, scripts } = scriptedTerminals('exec cat');

/** A terminal whose program asks when `ask` is called, which returns what it was told. */
function prepare(id: string): () => Promise<string> {
  const folder = tempDir();
  const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const queries = JSON.stringify(QUERIES.map(([query]) => query));
  scripts.set(
    id,
    `exec ${quote(process.execPath)} -e ${quote(PROGRAM)} ${quote(folder)} ${quote(queries)}`,
  );
  return async () => {
    writeFileSync(join(folder, 'ask'), '');
    await waitFor(() => existsSync(join(folder, 'told')));
    return readFileSync(join(folder, 'told'), 'latin1');
  };
}

/** A viewer whose emulator answers as a terminal does, but for what it is told to be quiet about. */
class AnsweringViewer extends TestViewer {
  answers = 0;
  #read = 0;
  readonly #screen = new ScreenEmulator({ rows: 24, cols: 80 });
  readonly #emulator = new AgentAnswers({
    clock: systemClock,
    type: (bytes, done) => {
      this.answers += 1;
      this.type(Buffer.from(bytes).toString('latin1'));
      done();
    },
  });

  constructor(id: string, options: ViewerOptions = {}) {
    super(terminals, id, options);
  }

  override received(): void {
    for (const { bytes, quiet } of this.pieces.slice(this.#read)) {
      if (quiet) continue;
      this.#emulator.feed(bytes, () => ({
        size: { rows: 24, cols: 80 },
        ask: (query) => this.#screen.ask(query),
      }));
    }
    this.#read = this.pieces.length;
  }
}

/** How often each kind of query was answered. */
function count(told: string): number[] {
  return QUERIES.map(([, answer]) =>
    answer === undefined ? 0 : [...told.matchAll(answer)].length,
  );
}

const ONCE = QUERIES.map(([, answer]) => (answer === undefined ? 0 : 1));
const NEVER = QUERIES.map(() => 0);

test('answers - with twenty viewers each query gets exactly one answer, from the one that typed last', async () => {
  const ask = prepare('crowd');
  const viewers = Array.from({ length: 20 }, () => new AnsweringViewer('crowd'));
  await Promise.all(viewers.map((viewer) => viewer.sees('ready')));
  for (const viewer of [viewers[7], viewers[13]]) {
    viewer?.type('a');
    await viewer?.until(() => viewer.frames.some(({ type }) => type === 'inputAck'));
  }
  assert.deepEqual(count(await ask()), ONCE);
  assert.deepEqual(
    viewers.map(({ answers }) => answers).filter((answers) => answers > 0),
    [ONCE.filter((each) => each === 1).length],
  );
  assert.ok((viewers[13]?.answers ?? 0) > 0);
  for (const viewer of viewers) viewer.close();
});

test('answers - where all may only watch nobody answers, and who answers may leave', async () => {
  const ask = prepare('watched');
  const owner = new AnsweringViewer('watched');
  await owner.sees('ready');
  const watchers = [
    ...Array.from(
      { length: 4 },
      () => new AnsweringViewer('watched', { scopes: ['terminal:watched:view'] }),
    ),
    new AnsweringViewer('watched', { wantsType: false }),
  ];
  await Promise.all(watchers.map((viewer) => viewer.attached));
  owner.close();
  await waitFor(
    async () => (await terminals.list()).find(({ id }) => id === 'watched')?.viewers === 5,
  );
  assert.deepEqual(count(await ask()), NEVER);
  for (const viewer of watchers) {
    assert.equal(viewer.answers, 0);
    viewer.close();
  }
});

test('answers - while nobody is attached the agent answers, and no replay is answered again', async () => {
  const ask = prepare('alone');
  const owner = new AnsweringViewer('alone');
  await owner.sees('ready');
  owner.close();
  await waitFor(
    async () => (await terminals.list()).find(({ id }) => id === 'alone')?.viewers === 0,
  );
  assert.deepEqual(count(await ask()), ONCE);
  const late = new AnsweringViewer('alone');
  await late.sees('end');
  assert.equal(late.answers, 0);
  late.close();
});

test('answers - an original client without the turn gets no query to see', async () => {
  const id = '7e57ab1e-0000-4000-8000-000000000001';
  const ask = prepare(id);
  const viewer = new AnsweringViewer(id);
  await viewer.sees('ready');
  let shown = '';
  const original = openChannel(terminals, id, { protocol: 'reconnecting-pty' });
  original.start({
    message: (bytes) => {
      original.consumed(bytes.length);
      shown += Buffer.from(bytes).toString('latin1');
    },
    credit: () => undefined,
    end: () => undefined,
  });
  viewer.type('a');
  assert.deepEqual(count(await ask()), ONCE);
  await waitFor(() => shown.includes('end'));
  // Of each query only an ST is left.
  assert.match(shown, /(?:x\x1b\\){14}end|(?:\x1b\\x){14}end/);
  assert.doesNotMatch(shown, /\x1b[^\\]/);
  original.close();
  viewer.close();
});
