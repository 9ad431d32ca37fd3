import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { limits } from '../../src/shared/common/index.js';
import { UNKNOWN_SHELL, type TerminalEvent } from '../../src/shared/node/ports/index.js';
import { CommandStack } from '../../src/workers/terminal/shell/command-stack.js';
import { EventLog, ShellWatch } from '../../src/workers/terminal/shell/index.js';
import { oscMeaning } from '../../src/workers/terminal/shell/osc-meaning.js';
import { OscReader } from '../../src/workers/terminal/shell/osc-reader.js';
import { ManualClock } from '../support/manual-clock.js';
import { seededRandom } from '../support/random.js';

type Found = readonly [text: string, end: number];

/** What a reader finds in `bytes` that come in pieces of these lengths, the rest in one. */
function read(bytes: Uint8Array, lengths: readonly number[] = []): Found[] {
  const reader = new OscReader();
  const found: Found[] = [];
  let at = 0;
  for (const length of [...lengths, bytes.length]) {
    const from = at;
    const piece = Uint8Array.from(bytes.subarray(from, from + length));
    reader.read(piece, (text, end) => found.push([text, from + end]));
    // The slab is read over: nothing of a piece may be looked at later.
    piece.fill(0x58);
    at += length;
  }
  return found;
}

/** The same, by one state and one byte at a time. */
function readSlowly(bytes: Uint8Array): Found[] {
  const found: Found[] = [];
  let body: number[] | undefined;
  let afterEscape = false;
  bytes.forEach((byte, index) => {
    if (byte === 0x1b || byte === 0x07 || byte === 0x18 || byte === 0x1a) {
      if (body !== undefined && body.length <= limits.OSC_BYTES && (byte === 0x1b || byte === 7)) {
        found.push([Buffer.from(body).toString('utf8'), index + 1]);
      }
      body = undefined;
      afterEscape = byte === 0x1b;
      return;
    }
    if (body !== undefined) body.push(byte);
    else if (afterEscape && byte === 0x5d) body = [];
    afterEscape = false;
  });
  return found;
}

const PIECES = [
  'text',
  '\x1b',
  ']',
  '\x1b]',
  '\x1b]0;title\x07',
  '\x1b]2;täle\x1b\\',
  '\x1b]7;file:///a%20b\x1b\\',
  '\x1b]133;D;0\x1b]133;A\x07',
  '\x1b]2;cut\x18',
  '\x1b]2;cut\x1a',
  '\x1b[31m',
  '\x1bP1$r\x1b]0;in a string\x07',
  '\x1b]',
  '\x07',
  '\x1b\\',
  '漢😀',
];

test('osc - any stream, cut anywhere, gives what a slow reader finds', () => {
  const random = seededRandom();
  for (let round = 0; round < 2_000; round += 1) {
    const parts = Array.from({ length: random.int(0, 12) }, () =>
      random.next() < 0.05
        ? `\x1b]2;${'x'.repeat(random.int(limits.OSC_BYTES - 6, limits.OSC_BYTES + 6))}\x07`
        : random.pick(PIECES),
    );
    const bytes = Buffer.from(parts.join(''), 'utf8');
    const expected = readSlowly(bytes);
    assert.deepEqual(read(bytes), expected);
    const lengths = Array.from({ length: random.int(0, 40) }, () =>
      random.next() < 0.5 ? random.int(0, 3) : random.int(0, bytes.length),
    );
    assert.deepEqual(read(bytes, lengths), expected, `pieces ${lengths.join()}`);
  }
});

test('osc - one that is too long or never ends is passed over, and the next is read', () => {
  const after = '\x1b]0;after\x07';
  const most = `2;${'x'.repeat(limits.OSC_BYTES - 2)}`;
  const stream = (body: string): Buffer => Buffer.from(`\x1b]${body}\x07${after}`);
  for (const lengths of [[], Array.from({ length: 20_000 }, () => 1)]) {
    const texts = (bytes: Uint8Array): string[] => read(bytes, lengths).map(([text]) => text);
    assert.deepEqual(texts(stream(most)), [most, '0;after']);
    assert.deepEqual(texts(stream(`${most}x`)), ['0;after']);
  }
  const endless = Buffer.concat([
    Buffer.from('\x1b]2;'),
    Buffer.alloc(5 * limits.MIB, 0x78),
    Buffer.from(after),
  ]);
  const found = read(
    endless,
    Array.from({ length: 700 }, () => 8_192),
  );
  assert.deepEqual(
    found.map(([text]) => text),
    ['0;after'],
  );
});

test('osc - reads what lies in shared memory', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(64));
  const bytes = Buffer.from('xx\x1b]0;tütle\x07');
  shared.set(bytes, 10);
  assert.deepEqual(read(shared.subarray(10, 10 + bytes.length)), [['0;tütle', bytes.length]]);
});

test('osc - titles lose what acts on a terminal, and what is too long', () => {
  const title = (text: string): unknown => oscMeaning(text, 'here');
  assert.deepEqual(title('0;a\x00b\u009b31m\u202ec\x7f '), { type: 'title', title: 'ab31mc' });
  assert.deepEqual(title('2;'), { type: 'title', title: '' });
  const long = title(`2;${'x'.repeat(limits.TITLE_CHARACTERS - 1)}😀`);
  assert.deepEqual(long, { type: 'title', title: 'x'.repeat(limits.TITLE_CHARACTERS - 1) });
  for (const other of ['1;icon', '4;1;?', '52;c;eA==', '', '0', '1337;x', '00;x']) {
    assert.equal(title(other), undefined, other);
  }
});

test('osc - a directory must be one of this machine', () => {
  const path = (url: string): string | undefined => {
    const meaning = oscMeaning(`7;${url}`, 'box.example.org');
    return meaning?.type === 'cwd' ? meaning.path : undefined;
  };
  assert.equal(path('file:///tmp'), '/tmp');
  assert.equal(path('FILE://Box/a%20b%3Bc'), '/a b;c');
  assert.equal(path('file://box.example.org/'), '/');
  assert.equal(path('file://localhost/ü%C3%BC?x#y'), '/üü?x#y');
  assert.equal(path('file:///a%0A%1B[31m'), '/a\ufffd\ufffd[31m');
  for (const url of [
    '',
    '/tmp',
    'file://elsewhere/tmp',
    'file://box',
    'http://box/tmp',
    'file:///%ff',
    'file:///%zz',
    'file:///a%00b',
    `file:///${'x'.repeat(limits.PATH_BYTES)}`,
  ]) {
    assert.equal(path(url), undefined, url.slice(0, 40));
  }
});

test('osc - marks say whose they are, what runs, and how it ended', () => {
  const mark = (text: string): unknown => oscMeaning(`133;${text}`, 'here');
  assert.deepEqual(mark('A'), { type: 'prompt', shell: '' });
  assert.deepEqual(mark('A;aid=12;cl=m'), { type: 'prompt', shell: '12' });
  const start = (text: string): string | undefined => {
    const meaning = oscMeaning(`133;C${text}`, 'here');
    return meaning?.type === 'command-start' ? meaning.command : assert.fail();
  };
  assert.equal(start(''), undefined);
  assert.equal(start(';cmdline_url=make%20all%3B%0A%20%20ls'), 'make all; ls');
  assert.equal(start(';cmdline_url=a%1Bb'), 'a\ufffdb');
  assert.equal(start(';cmdline_url=%zz'), undefined);
  assert.equal(start(`;cmdline_url=${'x'.repeat(5_000)}`)?.length, limits.COMMAND_LINE_CHARACTERS);
  const status = (text: string): number | undefined => {
    const meaning = oscMeaning(`133;D${text}`, 'here');
    return meaning?.type === 'command-end' ? meaning.status : assert.fail();
  };
  assert.equal(status(';0'), 0);
  assert.equal(status(';130;aid=7'), 130);
  for (const none of ['', ';', ';aid=7', ';-1', ';1e3', ';99999999999']) {
    assert.equal(status(none), undefined, none);
  }
  for (const other of ['', 'B', 'L', 'P;k=i', 'AA', 'Z']) assert.equal(mark(other), undefined);
});

test('commands - a shell within a shell ends with the command that it is', () => {
  const stack = new CommandStack([]);
  const run = (shell: string, command: string) =>
    stack.take({ type: 'command-start', shell, command }, 100);
  const end = (shell: string, status?: number) =>
    stack.take({ type: 'command-end', shell, status }, 350.4);
  assert.equal(end('1', 0), undefined, 'nothing runs: a line was given up');
  assert.deepEqual(run('1', 'bash'), { type: 'command-start', command: 'bash' });
  assert.equal(stack.take({ type: 'prompt', shell: '2' }, 120), undefined);
  run('2', 'make');
  assert.deepEqual(end('2', 2), {
    type: 'command-end',
    command: 'make',
    durationMs: 250,
    status: 2,
  });
  run('2', 'ssh');
  run('3', 'sleep 9');
  assert.deepEqual(
    stack.running.map(({ command }) => command),
    ['bash', 'ssh', 'sleep 9'],
  );
  // The connection broke: the innermost shell never marks the end.
  assert.deepEqual(end('2', 255), {
    type: 'command-end',
    command: 'ssh',
    durationMs: 250,
    status: 255,
  });
  assert.deepEqual(stack.take({ type: 'prompt', shell: '1' }, 350), {
    type: 'command-end',
    command: 'bash',
    durationMs: 250,
  });
  assert.deepEqual(stack.running, []);
  for (let depth = 0; depth < 1_000; depth += 1) run(String(depth), 'sh');
  assert.equal(stack.running.length, 16);
  const adopted = new CommandStack([{ shell: '1', command: 'make' }]);
  assert.deepEqual(adopted.take({ type: 'command-end', shell: '1', status: 0 }, 5), {
    type: 'command-end',
    command: 'make',
    durationMs: undefined,
    status: 0,
  });
});

type News = Extract<TerminalEvent, { type: 'shell' }>;

function watch(): {
  readonly clock: ManualClock;
  readonly events: EventLog;
  readonly news: News[];
  readonly say: (text: string) => void;
  readonly shell: ShellWatch;
} {
  const clock = new ManualClock();
  const events = new EventLog();
  const news: News[] = [];
  let head = 0;
  const shell = new ShellWatch({
    clock,
    events,
    known: UNKNOWN_SHELL,
    head: () => head,
    added: () => undefined,
    post: (each) => news.push(each),
  });
  const say = (text: string): void => {
    const bytes = Buffer.from(text);
    head += bytes.length;
    shell.appended(bytes);
    shell.tell();
  };
  return { clock, events, news, say, shell };
}

test('shell - the first news goes at once, what a loop prints is told together', () => {
  const { clock, events, news, say } = watch();
  say(`plain\x1b]2;one\x07`);
  assert.deepEqual(events.at(0), { offset: 13, event: { type: 'title', title: 'one' } });
  assert.equal(news.at(-1)?.state.title, 'one');
  for (let round = 0; round < 1_000; round += 1) {
    say(`\x1b]2;${String(round)}\x07\x1b]7;file://${hostname()}/${String(round)}\x07`);
    say(`\x1b]133;C;cmdline_url=c${String(round)}\x07\x1b]133;D;${String(round % 256)}\x07`);
  }
  assert.equal(news.length, 1);
  clock.advance(limits.NEWS_MS);
  assert.equal(news.length, 2);
  const last = news.at(-1);
  assert.deepEqual(last?.state, {
    title: '999',
    cwd: '/999',
    marks: true,
    lastStatus: 999 % 256,
    running: [],
  });
  assert.equal(last?.ended.length, limits.NEWS_COMMANDS);
  assert.equal(last?.ended.at(-1)?.command, 'c999');
  assert.equal(events.next, 1 + 2 + 2 * limits.NEWS_COMMANDS);
  const offsets = Array.from({ length: events.next }, (_, at) => events.at(at)?.offset ?? 0);
  assert.deepEqual(
    offsets,
    offsets.toSorted((a, b) => a - b),
  );
  clock.advance(limits.NEWS_MS);
  assert.equal(news.length, 2, 'nothing new, nothing told');
  say('\x1b]2;999\x07');
  assert.equal(news.length, 2, 'the same again is not new');
});

test('shell - what is not told yet at the end is told then', () => {
  const { events, news, say, shell } = watch();
  say('\x1b]133;A\x07');
  assert.deepEqual(news[0]?.state.marks, true);
  say('\x1b]133;C\x07\x1b]133;D;3\x07');
  assert.equal(news.length, 1);
  shell.end();
  assert.equal(news[1]?.ended[0]?.status, 3);
  assert.equal(events.next, 2);
});

test('shell - events are few: the oldest go, and places in the log find the rest', () => {
  const events = new EventLog();
  const count = limits.EVENTS_KEPT + 10;
  for (let offset = 1; offset <= count; offset += 1) {
    events.push({ offset, event: { type: 'command-start' } });
  }
  assert.equal(events.oldest, 10);
  assert.equal(events.at(9), undefined);
  assert.equal(events.at(10)?.offset, 11);
  assert.equal(events.after(0), 10);
  assert.equal(events.after(100), 100);
  assert.equal(events.after(count), events.next);
});
