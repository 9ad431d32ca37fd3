import { deferred } from '../../../shared/common/index.js';
import {
  formatTime,
  RecordingPlayer,
  type OpenRecording,
} from '../../../shared/common/recording/index.js';
import { enterRawMode } from '../raw-terminal.js';
import { PlayScreen } from './play-screen.js';

export interface PlayOptions {
  readonly recording: OpenRecording;
  readonly speed: number;
  /** Absent: as the recording says, if it does. */
  readonly idleLimitMs: number | undefined;
  /** Where to begin, in ms. */
  readonly at: number;
  readonly signal: AbortSignal;
}

const SEEK_MS = 5_000;
const FAR_MS = 60_000;
const FASTER = 2;

const KEYS: Readonly<Record<string, (player: RecordingPlayer) => void>> = {
  ' ': (player) => {
    if (player.playing) player.pause();
    else player.play();
  },
  '\x1b[D': (player) => {
    player.seek(player.position - SEEK_MS);
  },
  '\x1b[C': (player) => {
    player.seek(player.position + SEEK_MS);
  },
  '\x1b[B': (player) => {
    player.seek(player.position - FAR_MS);
  },
  '\x1b[A': (player) => {
    player.seek(player.position + FAR_MS);
  },
  '+': (player) => {
    player.speed *= FASTER;
  },
  '=': (player) => {
    player.speed *= FASTER;
  },
  '-': (player) => {
    player.speed /= FASTER;
  },
};

/** Ctrl-C, Ctrl-D and q leave. */
const LEAVE = new Set(['q', 'Q', '\x03', '\x04']);

/**
 * Plays in this terminal until the end, or until somebody leaves. Without a terminal the output is written
 * as it was, at its pace.
 * @throws {HoldfastError} ERR_RECORDING_FORMAT, or what reading it fails with.
 */
export async function playRecording(options: PlayOptions): Promise<void> {
  const { recording, signal } = options;
  const screen = new PlayScreen(process.stdout);
  const over = deferred<undefined>();
  let isPaused = false;
  const player = new RecordingPlayer({
    recording,
    screen,
    speed: options.speed,
    idleLimitMs: options.idleLimitMs ?? recording.header.idleLimitMs,
    onChange: () => {
      if (player.ended) over.resolve(undefined);
      else follow();
    },
    onError: (error) => {
      over.reject(error);
    },
  });
  /** What we say stands over the picture, so it is drawn anew before it moves on. */
  const follow = (): void => {
    if (player.playing && isPaused) {
      isPaused = false;
      player.redraw();
    } else if (!player.playing) {
      isPaused = true;
      const now = `${formatTime(player.position)} / ${formatTime(player.durationMs)}`;
      void screen.say(`  ${now}  ${String(player.speed)}x  space plays, arrows seek, q leaves  `);
    }
  };
  const leave = (): void => {
    over.resolve(undefined);
  };
  signal.addEventListener('abort', leave, { once: true });
  const keys = process.stdin.isTTY && process.stdout.isTTY ? new Keys(player, leave) : undefined;
  keys?.start();
  try {
    player.seek(options.at);
    player.play();
    await over.promise;
  } finally {
    signal.removeEventListener('abort', leave);
    keys?.stop();
    await player.close();
    await screen.restore();
  }
}

class Keys {
  readonly #player: RecordingPlayer;
  readonly #leave: () => void;
  #mode: { restore(): void } | undefined;

  constructor(player: RecordingPlayer, leave: () => void) {
    this.#player = player;
    this.#leave = leave;
  }

  start(): void {
    this.#mode = enterRawMode(process.stdin);
    process.stdin.on('data', this.#onData);
    process.stdin.resume();
  }

  stop(): void {
    process.stdin.off('data', this.#onData);
    process.stdin.pause();
    this.#mode?.restore();
  }

  readonly #onData = (chunk: Buffer): void => {
    for (const [key] of chunk.toString('latin1').matchAll(/\x1b\[[A-D]|[\s\S]/g)) {
      if (LEAVE.has(key)) this.#leave();
      else KEYS[key]?.(this.#player);
    }
  };
}
