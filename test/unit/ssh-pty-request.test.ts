import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergeTerminalModes } from '../../src/shared/node/pty/index.js';
import { exitSignalPayload } from '../../src/main/agent/ssh/channel.js';
import { PacketGuard } from '../../src/main/agent/ssh/guard.js';
import { MESSAGE, PayloadReader, PayloadWriter } from '../../src/main/agent/ssh/internals.js';
import {
  checkTerm,
  clampSize,
  parseTerminalModes,
  takeTerminalModes,
} from '../../src/main/agent/ssh/pty-request.js';

/** As OpenSSH puts it together: speeds first. */
const MODES = Buffer.from([
  ...[129, 0, 0, 0x96, 0, 128, 0, 0, 0x96, 0],
  ...[1, 0, 0, 0, 3, 18, 0, 0, 0, 255, 53, 0, 0, 0, 0, 42, 0, 0, 0, 1],
  0,
]);

function ptyRequest(modes: Uint8Array): Buffer {
  return new PayloadWriter()
    .byte(MESSAGE.CHANNEL_REQUEST)
    .uint32(7)
    .string('pty-req')
    .boolean(true)
    .string('xterm')
    .uint32(80)
    .uint32(24)
    .uint32(0)
    .uint32(0)
    .string(modes)
    .finish();
}

test('ssh pty request - lineage 11: the modes of OpenSSH are all read', () => {
  assert.deepEqual(parseTerminalModes(MODES), { VINTR: 3, VDISCARD: 255, ECHO: 0, IUTF8: 1 });
});

test('ssh pty request - modes end at an undefined opcode and where they are cut short', () => {
  assert.deepEqual(parseTerminalModes(Buffer.from([53, 0, 0, 0, 1, 160, 0, 0, 0, 1, 50, 0])), {
    ECHO: 1,
  });
  assert.deepEqual(parseTerminalModes(Buffer.from([53, 0, 0, 0])), {});
  assert.deepEqual(parseTerminalModes(Buffer.from([159, 1, 2, 3, 4, 50, 0, 0, 0, 1])), { ISIG: 1 });
});

test('ssh pty request - the modes are taken out of the packet and nothing else is changed', () => {
  const taken = takeTerminalModes(ptyRequest(MODES));
  assert.deepEqual(taken?.payload, ptyRequest(Buffer.alloc(0)));
  assert.equal(taken.modes['ECHO'], 0);
  const other = new PayloadWriter()
    .byte(MESSAGE.CHANNEL_REQUEST)
    .uint32(7)
    .string('shell')
    .finish();
  assert.equal(takeTerminalModes(other), undefined);
  const whole = ptyRequest(MODES);
  for (let length = 0; length < whole.length - 1; length += 1) {
    assert.equal(takeTerminalModes(whole.subarray(0, length)), undefined);
  }
});

test('ssh pty request - no bytes make the parsers throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      parseTerminalModes(bytes);
      takeTerminalModes(Buffer.concat([Buffer.from([98, 0, 0, 0, 0]), bytes]));
      new PacketGuard().inspect(Buffer.from(bytes), bytes.length % 2 === 0);
    }),
    { numRuns: 2_000 },
  );
});

test('ssh pty request - sizes of 0 become 80 by 24, huge ones 1000', () => {
  assert.deepEqual(clampSize(0, 0), { rows: 24, cols: 80 });
  assert.deepEqual(clampSize(2 ** 32 - 1, 1), { rows: 1_000, cols: 1 });
  assert.deepEqual(clampSize(50, 0), { rows: 50, cols: 80 });
});

test('ssh pty request - a TERM that is no name becomes xterm', () => {
  assert.equal(checkTerm('xterm-256color'), 'xterm-256color');
  for (const bad of ['', '../../x', 'a b', 'x'.repeat(65), 'a\0', 'ünix']) {
    assert.equal(checkTerm(bad), 'xterm');
  }
});

test('ssh pty request - modes are merged into a termios, what is not named stays', () => {
  const termios = new Uint8Array(60);
  new DataView(termios.buffer).setUint32(12, 0o11, true);
  mergeTerminalModes(termios, { ECHO: 0, ICANON: 1, VINTR: 3, VQUIT: 255, NOSUCH: 1 });
  assert.equal(new DataView(termios.buffer).getUint32(12, true), 0o3);
  assert.equal(termios[17], 3);
  assert.equal(termios[18], 0, '255 on the wire is none');
});

test('ssh exit signal - names of RFC 4254 are bare, others have a suffix', () => {
  const name = (signal: string): string => {
    const reader = new PayloadReader(exitSignalPayload(1, signal), 5);
    assert.equal(reader.string()?.toString(), 'exit-signal');
    reader.byte();
    return reader.string()?.toString() ?? '';
  };
  assert.equal(name('SIGTERM'), 'TERM');
  assert.equal(name('KILL'), 'KILL');
  assert.equal(name('SIGBUS'), 'BUS@holdfast');
});
