import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../../src/shared/common/index.js';
import {
  CastEncoder,
  CastParser,
  openRecording,
  parseIndex,
  parseSize,
  RecordingPlayer,
  type CastEvent,
  type OpenRecording,
  type PlayerScreen,
} from '../../src/shared/common/recording/index.js';
import type { TerminalSize } from '../../src/shared/common/wire/index.js';
import { GrowingFile } from '../../src/workers/recording/growing-file.js';
import { Keyframer } from '../../src/workers/recording/keyframer.js';
import { ScreenEmulator } from '../../src/workers/terminal/screen/index.js';
import { seededRandom, tempDir, waitFor, type SeededRandom } from '../support/index.js';
import { ManualClock } from '../support/manual-clock.js';

/** A screen whose state can be compared. */
class TestScreen implements PlayerScreen {
  #emulator: ScreenEmulator | undefined;
  #size: TerminalSize | undefined;
  resets = 0;
  written = 0;

  reset(size: TerminalSize): void {
    this.#emulator?.dispose();
    this.#emulator = new ScreenEmulator(size);
    this.#size = { rows: size.rows, cols: size.cols };
    this.resets += 1;
  }
  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.written += bytes.length;
    this.#emulator?.write(bytes);
  }
  resize(size: TerminalSize): void {
    this.#emulator?.resize(size);
    this.#size = size;
  }
  state(): unknown {
    return { ...this.#size, screen: this.#emulator?.snapshot(2 ** 24).screen };
  }
}

const PIECES = [
  'plain text ',
  'line\r\n',
  '\x1b[1;35mbold\x1b[0m',
  '\x1b[48;5;22m \x1b[m',
  '\x1b[2J\x1b[H',
  '\x1b[?1049h',
  '\x1b[?1049l',
  '\x1b[5;15r',
  '\x1b[r',
  '\x1b[10;20H',
  '漢字 e\u0301 👩‍💻',
  '\x1b]0;title\x07',
  '\x1b[?25l',
  '\x1b[?25h',
  '\x1b7',
  '\x1b8',
  '\tx\x1b[3g',
  '\x1b[2L',
];

/** A recording of half a megabyte with everything in it, and its index. */
async function makeRecording(random: SeededRandom): Promise<{ file: Buffer; index: string }> {
  const folder = tempDir();
  const cast = await GrowingFile.open(join(folder, 'a.cast'));
  const encoder = new CastEncoder();
  const holdfast = { terminal: 'a', epoch: '', offset: 0, input: false };
  const size = { rows: 24, cols: 80 };
  let text = encoder.header({ size, termType: 'xterm', timestamp: 0, holdfast });
  let at = 0;
  for (let bytes = 0; bytes < 400_000;) {
    at += random.int(0, 20);
    let output = '';
    for (let count = random.int(1, 60); count > 0; count -= 1) output += random.pick(PIECES);
    // Cut anywhere, as reads are.
    const cut = random.int(0, output.length);
    text += encoder.output(at, Buffer.from(output.slice(0, cut)));
    if (random.int(0, 40) === 0) {
      text += encoder.resize(at, { rows: random.int(10, 40), cols: random.int(40, 120) });
    }
    text += encoder.output(at, Buffer.from(output.slice(cut)));
    if (random.int(0, 30) === 0) text += encoder.output(at, random.bytes(5));
    bytes += output.length;
  }
  await cast.append(Buffer.from(text + encoder.exit(at + 50, 0)));
  const path = join(folder, 'a.idx');
  const options = { path, cast, isResumed: false, allows: () => true, logger: silentLogger };
  const keyframer = await Keyframer.open(options);
  await keyframer.complete();
  await keyframer.close();
  await cast.close();
  return { file: readFileSync(join(folder, 'a.cast')), index: readFileSync(path, 'utf8') };
}

function open(file: Buffer, index = ''): Promise<OpenRecording> {
  const read = async function* (offset: number): AsyncGenerator<Uint8Array> {
    for (let from = offset; from < file.length; from += 10_000) {
      yield file.subarray(from, from + 10_000);
    }
  };
  const { keyframes } = parseIndex(index);
  return openRecording({ read }, { keyframes, bytes: file.length, durationMs: undefined });
}

/** The state after everything up to `at`, played from the beginning without an index. */
function fullPlay(events: readonly CastEvent[], size: TerminalSize, at: number): unknown {
  const screen = new TestScreen();
  screen.reset(size);
  for (const event of events) {
    if (event.at > at) break;
    const resized = event.code === 'r' ? parseSize(event.data) : undefined;
    if (resized !== undefined) screen.resize(resized);
    if (event.code === 'o') screen.write(event.raw ?? event.data);
  }
  return screen.state();
}

test('recording player - a seek shows the screen of a full play, at the cost of a keyframe', async () => {
  const random = seededRandom();
  const { file, index } = await makeRecording(random);
  const recording = await open(file, index);
  assert.ok(recording.keyframes.length >= 3, String(recording.keyframes.length));
  const parser = new CastParser();
  const events = parser.push(file);
  const screen = new TestScreen();
  const player = new RecordingPlayer({ recording, screen });
  for (let round = 0; round < 25; round += 1) {
    const target = random.int(0, recording.durationMs);
    const before = screen.written;
    player.seek(target);
    await waitFor(() => !player.seeking, { intervalMs: 1 });
    assert.deepEqual(
      screen.state(),
      fullPlay(events, recording.header.size, target),
      String(target),
    );
    assert.ok(screen.written - before < 450_000);
  }
  await player.close();
});

test('recording player - keeps the pace, at any speed, and shortens pauses', async () => {
  const encoder = new CastEncoder();
  const holdfast = { terminal: 'a', epoch: '', offset: 0, input: false };
  let text = encoder.header({ size: { rows: 5, cols: 20 }, termType: 'x', timestamp: 0, holdfast });
  for (const at of [100, 200, 10_200, 10_300])
    text += encoder.output(at, Buffer.from(`${String(at)} `));
  const clock = new ManualClock();
  const shown: string[] = [];
  const player = new RecordingPlayer({
    recording: await open(Buffer.from(text)),
    screen: {
      reset: () => undefined,
      resize: () => undefined,
      write: (data) => {
        shown.push(String(data).trim());
      },
    },
    idleLimitMs: 1_000,
    clock,
  });
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
  player.play();
  await settle();
  clock.advance(99);
  await settle();
  assert.deepEqual(shown, []);
  clock.advance(1);
  await settle();
  assert.deepEqual(shown, ['100']);
  player.speed = 2;
  await settle();
  clock.advance(50);
  await settle();
  assert.deepEqual(shown, ['100', '200']);
  clock.advance(499);
  await settle();
  assert.equal(shown.length, 2);
  clock.advance(1);
  await settle();
  assert.deepEqual(shown, ['100', '200', '10200']);
  player.pause();
  clock.advance(60_000);
  await settle();
  assert.equal(shown.length, 3);
  assert.equal(player.position, 10_200);
  player.play();
  await settle();
  clock.advance(50);
  await settle();
  assert.equal(shown.length, 4);
  await settle();
  assert.ok(player.ended);
  await player.close();
});
