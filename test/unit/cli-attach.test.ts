import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DetachKeys, ScreenModes } from '../../src/main/cli/attach/index.js';

/** Types `text` byte by byte or whole; what came through, and whether it ended in a detach. */
function type(text: string, { whole = true, quitTwice = true } = {}): [string, boolean] {
  const keys = new DetachKeys({ quitTwice });
  const pieces = whole ? [text] : Array.from(text);
  let out = '';
  for (const piece of pieces) {
    const { bytes, detach } = keys.push(Buffer.from(piece, 'latin1'));
    out += Buffer.from(bytes).toString('latin1');
    if (detach) return [out, true];
  }
  return [out, false];
}

test('detach keys - the table', () => {
  const table: [string, string, boolean][] = [
    ['hello', 'hello', false],
    ['\x1c\x1c', '', true],
    ['ab\x1c\x1cxyz', 'ab', true],
    ['\x1cx', '\x1cx', false],
    ['\x1cx\x1c\x1c', '\x1cx', true],
    ['~.', '', true],
    ['ls\r~.', 'ls\r', true],
    ['ls\n~.', 'ls\n', true],
    ['ls~.', 'ls~.', false],
    ['~~.', '~.', false],
    ['~a', '~a', false],
    ['~\r~.', '~\r', true],
    ['a\r~~b', 'a\r~b', false],
    ['~\x1c\x1c', '~', true],
    ['~', '', false],
  ];
  for (const [typed, out, detach] of table) {
    for (const whole of [true, false]) {
      assert.deepEqual(type(typed, { whole }), [out, detach], JSON.stringify(typed));
    }
  }
});

test('detach keys - other escapes are taken out, wherever the input is cut, and only at the start of a line', () => {
  const table: [string, string, string][] = [
    ['~c', '', 'c'],
    ['~?~w', '', '?w'],
    ['ls\r~cpwd', 'ls\rpwd', 'c'],
    ['ls ~c', 'ls ~c', ''],
    ['~~c', '~c', ''],
    ['~x~c', '~x~c', ''],
  ];
  for (const [typed, out, escapes] of table) {
    for (const pieces of [[typed], Array.from(typed)]) {
      const keys = new DetachKeys({ quitTwice: true, escapes: true });
      const outcomes = pieces.map((piece) => keys.push(Buffer.from(piece, 'latin1')));
      assert.equal(Buffer.concat(outcomes.map(({ bytes }) => bytes)).toString('latin1'), out);
      assert.equal(outcomes.flatMap((outcome) => outcome.escapes).join(''), escapes, typed);
    }
  }
});

test('detach keys - without the doubled key only the tilde leaves', () => {
  assert.deepEqual(type('\x1c\x1c', { quitTwice: false }), ['\x1c\x1c', false]);
  assert.deepEqual(type('~.', { quitTwice: false }), ['', true]);
});

test('detach keys - a single Ctrl-\\ goes on after a pause, a tilde waits', () => {
  const keys = new DetachKeys({ quitTwice: true });
  keys.push(Buffer.from('\x1c'));
  assert.ok(keys.holding);
  assert.deepEqual([...keys.flush()], [0x1c]);
  assert.ok(!keys.holding);
  assert.equal(keys.push(Buffer.from('\x1cx')).detach, false);
  const tilde = new DetachKeys({ quitTwice: true });
  tilde.push(Buffer.from('~'));
  assert.deepEqual([...tilde.flush()], []);
  assert.equal(tilde.push(Buffer.from('.')).detach, true);
});

test('detach keys - pieces make no difference, and nothing else is lost', () => {
  const bytes = fc.array(fc.constantFrom(0x1c, 0x7e, 0x2e, 0x0d, 0x61), { maxLength: 30 });
  fc.assert(
    fc.property(bytes, (list) => {
      const text = String.fromCharCode(...list);
      assert.deepEqual(type(text, { whole: true }), type(text, { whole: false }));
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
      fc.pre(!text.includes('~') && !text.includes('\x1c'));
      assert.deepEqual(type(text), [text, false]);
    }),
  );
});

/** Modes after `chunks`. */
function modes(...chunks: string[]): ScreenModes {
  const screen = new ScreenModes();
  for (const chunk of chunks) screen.observe(Buffer.from(chunk, 'latin1'));
  return screen;
}

test('screen modes - exactly what was set is undone', () => {
  assert.equal(modes('plain \x1b[1m text').undo(), '');
  assert.equal(modes('\x1b[?1049h').undo(), '\x1b[?1049l');
  assert.equal(modes('\x1b[?1049h', 'x\x1b[?1049l').undo(), '');
  assert.equal(modes('\x1b[?25l').undo(), '\x1b[?25h');
  assert.equal(modes('\x1b[?25l\x1b[?25h').undo(), '');
  assert.equal(modes('\x1b[?1000;1006h').undo(), '\x1b[?1000l\x1b[?1006l');
  assert.equal(modes('\x1b=\x1b[?1h').undo(), '\x1b>\x1b[?1l');
  assert.equal(modes('\x1b[?1049h\x1b[?2004h\x1bc').undo(), '');
});

test('screen modes - the alternate screen is left last and is known', () => {
  const screen = modes('\x1b[?1049h\x1b[?1h\x1b[?25l');
  assert.ok(screen.fullScreen);
  assert.match(screen.undo(), /\x1b\[\?1049l$/);
  assert.ok(!modes('\x1b[?25l').fullScreen);
});

test('screen modes - sequences may be cut anywhere', () => {
  const text = 'a\x1b[?1049hb\x1b[?25lc\x1b[?1000;1006hd\x1b=';
  const whole = modes(text).undo();
  for (let at = 0; at <= text.length; at += 1) {
    assert.equal(modes(text.slice(0, at), text.slice(at)).undo(), whole);
  }
  assert.equal(modes(...Array.from(text)).undo(), whole);
});
