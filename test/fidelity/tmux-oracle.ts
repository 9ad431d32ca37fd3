import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../support/index.js';
import { recordedSessions } from './recorded.js';
import { createPool, Replica } from './replica.js';
import { orderlyStream } from './orderly-stream.js';
import type { Stream } from './streams.js';

export interface TmuxComparison {
  readonly summary: string;
  readonly differences: readonly string[];
}

const RANDOM_STREAMS = 60;
const DRAWN_MS = 10_000;

/**
 * Compares the text of the screen after a re-attach with what tmux makes of all the bytes. Absent: there is
 * no tmux.
 */
export async function compareWithTmux(seed: number): Promise<TmuxComparison | undefined> {
  if (!hasTmux()) return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-tmux-'));
  const tmux = new Tmux(folder);
  const differences: string[] = [];
  let same = 0;
  try {
    for (const stream of streams(seed)) {
      const theirs = await tmux.screen(stream, outputOf(stream));
      const again = screenAfterAttach(stream, seed);
      if (theirs === again) same += 1;
      else differences.push(`${stream.name}\ntmux:\n${theirs}\ncame back:\n${again}`);
    }
  } finally {
    tmux.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const summary = `${String(same)} screens the same, ${String(differences.length)} not`;
  return { summary, differences };
}

function streams(seed: number): Stream[] {
  const sessions = recordedSessions(createRandom(seed)).map((stream) => {
    // Up to the first change of the size, which a pane cannot be made to take at a certain byte.
    const end = stream.events.findIndex(({ type }) => type === 'resize');
    return { ...stream, events: end < 0 ? stream.events : stream.events.slice(0, end) };
  });
  const made = Array.from({ length: RANDOM_STREAMS }, (_, index) => orderlyStream(seed + index));
  return [...sessions, ...made];
}

function outputOf({ events }: Stream): Buffer {
  return Buffer.concat(events.flatMap((event) => (event.type === 'output' ? [event.bytes] : [])));
}

function screenAfterAttach(stream: Stream, seed: number): string {
  const replica = new Replica({
    size: stream.size,
    ringBytes: 600,
    leadInBytes: seed % 200,
    blocks: false,
    tracker: true,
    pool: createPool(),
  });
  for (const event of stream.events) {
    if (event.type === 'output') replica.append(event.bytes);
  }
  const again = replica.attach();
  const text = again.text();
  replica.close();
  again.dispose();
  return text;
}

function hasTmux(): boolean {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A tmux server of our own. */
class Tmux {
  readonly #folder: string;
  #count = 0;

  constructor(folder: string) {
    this.#folder = folder;
    // The server ends with its last session.
    this.#run(['-f', '/dev/null', 'new-session', '-d', 'sh', '-c', 'exec sleep 600']);
    this.#run(['set', '-g', 'status', 'off']);
  }

  /** The text of a pane that has been given `bytes`. */
  async screen({ size }: Stream, bytes: Uint8Array): Promise<string> {
    this.#count += 1;
    const file = path.join(this.#folder, String(this.#count));
    writeFileSync(file, bytes);
    const name = `s${String(this.#count)}`;
    const script = `stty raw -echo; cat '${file}'; sleep 0.1; : > '${file}.done'; exec sleep 60`;
    const area = ['-x', String(size.cols), '-y', String(size.rows)];
    this.#run(['new-session', '-d', '-s', name, ...area, 'sh', '-c', script]);
    const deadline = performance.now() + DRAWN_MS;
    while (!existsSync(`${file}.done`) && performance.now() < deadline) await sleep(10);
    await sleep(30);
    const text = this.#run(['capture-pane', '-p', '-t', name]);
    this.#run(['kill-session', '-t', name]);
    return trimmed(text.split('\n').slice(0, size.rows));
  }

  close(): void {
    try {
      this.#run(['kill-server']);
    } catch {
      // It ends by itself with its last session.
    }
  }

  #run(args: readonly string[]): string {
    const socket = path.join(this.#folder, 'socket');
    return execFileSync('tmux', ['-S', socket, ...args], {
      encoding: 'utf8',
      env: { ...process.env, TMUX: '', LC_ALL: 'C.UTF-8', TERM: 'xterm-256color' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  }
}

/** Blanks at the ends of lines are no text, written or not. */
export function trimmed(lines: readonly string[]): string {
  return lines
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd();
}
