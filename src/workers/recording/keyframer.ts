import { limits, toErrorRecord, type Logger } from '../../shared/common/index.js';
import {
  CastParser,
  encodeIndexEntry,
  INDEX_VERSION,
  parseIndex,
  parseSize,
  type CastEvent,
  type IndexEntry,
  type Keyframe,
  type RecordingEnd,
} from '../../shared/common/recording/index.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';
import { ScreenEmulator } from '../terminal/screen/index.js';
import { GrowingFile } from './growing-file.js';

/** A keyframe is rarely a tenth of it; a larger screen loses its colours in it. */
const PICTURE_BYTES = 256 * limits.KIB;
/** Read from the recording at a time. */
const READ_BYTES = 64 * limits.KIB;

export interface KeyframerOptions {
  /** Where the index is. */
  readonly path: string;
  readonly cast: GrowingFile;
  /** A worker had it before and died. */
  readonly isResumed: boolean;
  /** Whether the index may be that long. */
  readonly allows: (bytes: number) => boolean;
  readonly logger: Logger;
}

/**
 * Makes the index of a recording: reads the file that is being written behind its writer, keeps the
 * screen of it, and notes that every so often. It never holds the writer up: after a flood it is behind for
 * a while. What a keyframe shows is what a player shows that played the same file up to there.
 */
export class Keyframer {
  readonly #options: KeyframerOptions;
  readonly #index: GrowingFile | undefined;
  #parser = new CastParser();
  #screen: ScreenEmulator | undefined;
  #size: TerminalSize = { rows: 0, cols: 0 };
  /** Position of the last keyframe, and behind all that was read. */
  #last = 0;
  #read = 0;
  #running: Promise<void> | undefined;
  #closed = false;
  #failed = false;

  private constructor(options: KeyframerOptions, index: GrowingFile | undefined) {
    this.#options = options;
    this.#index = index;
  }

  /** A recording without an index is still one; why there is none is logged. */
  static async open(options: KeyframerOptions): Promise<Keyframer> {
    const { path, cast, isResumed, logger } = options;
    try {
      if (cast.bytes > 0) return await Keyframer.#reopen(options);
      const index = await GrowingFile.open(path, isResumed ? 0 : undefined);
      const keyframer = new Keyframer(options, index);
      await keyframer.#append({ type: 'index', version: INDEX_VERSION });
      return keyframer;
    } catch (error) {
      logger.warn('a recording has no index', { error: toErrorRecord(error).message });
      return new Keyframer(options, undefined);
    }
  }

  /** Goes on after the last keyframe of the index that a dead worker left. */
  static async #reopen(options: KeyframerOptions): Promise<Keyframer> {
    const { path, cast } = options;
    const found = await GrowingFile.open(path, Number.POSITIVE_INFINITY);
    const text = (await found.read(0, found.bytes)).toString();
    const keyframer = new Keyframer(options, found);
    await found.shorten(Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1)));
    if (found.bytes === 0) await keyframer.#append({ type: 'index', version: INDEX_VERSION });
    const keyframe = parseIndex(text).keyframes.findLast(({ position }) => position <= cast.bytes);
    const start = await cast.read(0, READ_BYTES);
    const parser = new CastParser();
    parser.push(start.subarray(0, start.indexOf('\n') + 1));
    if (keyframe !== undefined && parser.header !== undefined) keyframer.#goTo(keyframe, parser);
    return keyframer;
  }

  /** Length of the index, in bytes. */
  get bytes(): number {
    return this.#index?.bytes ?? 0;
  }

  /** There is more to read. */
  advance(): void {
    if (this.#index === undefined || this.#closed || this.#failed) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** The recording has ended; keyframes of what was not read yet may still follow. */
  async end(end: RecordingEnd): Promise<void> {
    await this.#append({ type: 'end', ...end }).catch(() => undefined);
  }

  /** Resolves when all keyframes are made. */
  async complete(): Promise<void> {
    while (this.#read < this.#options.cast.bytes && !this.#closed && !this.#failed) {
      this.advance();
      if (this.#running === undefined) return;
      await this.#running;
    }
  }

  /** The recording lost its last lines: a screen that shows them is no use any more. */
  async shorten(): Promise<void> {
    this.#failed = true;
    await this.#running;
    const index = this.#index;
    if (index === undefined) return;
    const text = (await index.read(0, index.bytes)).toString();
    const lines = text.split('\n').filter((line) => line !== '');
    const { bytes } = this.#options.cast;
    // The last of them goes in any case, for room to say how it ended.
    const kept = lines.filter((line, at) => at === 0 || positionOf(line) <= bytes).slice(0, -1);
    const rest = kept.length === 0 ? lines.slice(0, 1) : kept;
    await index.shorten(Buffer.byteLength(rest.map((line) => `${line}\n`).join('')));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    this.#screen?.dispose();
    await this.#index?.close();
  }

  async #run(): Promise<void> {
    const { cast, logger } = this.#options;
    try {
      while (this.#read < cast.bytes && !this.#closed && !this.#failed) {
        const piece = await cast.read(this.#read, this.#read + READ_BYTES);
        this.#read += piece.length;
        const had = this.#parser.header;
        const events = this.#parser.push(piece);
        if (had === undefined && this.#parser.header !== undefined) {
          this.#size = this.#parser.header.size;
          this.#screen = new ScreenEmulator(this.#size);
        }
        for (const event of events) await this.#take(event);
      }
    } catch (error) {
      this.#failed = true;
      logger.warn('a recording gets no more keyframes', { error: toErrorRecord(error).message });
    }
  }

  async #take(event: CastEvent): Promise<void> {
    const screen = this.#screen;
    if (screen === undefined || this.#closed) return;
    const size = event.code === 'r' ? parseSize(event.data) : undefined;
    if (size !== undefined) {
      screen.resize(size);
      this.#size = size;
    }
    if (event.code === 'o') screen.write(event.raw ?? Buffer.from(event.data));
    // In the middle of a sequence no screen says what will follow.
    if (event.end - this.#last < limits.RECORDING_KEYFRAME_BYTES || !screen.atBoundary) return;
    const entry: IndexEntry = {
      type: 'keyframe',
      position: event.end,
      at: event.at,
      rows: this.#size.rows,
      cols: this.#size.cols,
      screen: screen.snapshot(PICTURE_BYTES).screen,
    };
    await this.#append(entry);
    this.#last = event.end;
  }

  async #append(entry: IndexEntry): Promise<void> {
    const index = this.#index;
    if (index === undefined) return;
    const data = Buffer.from(encodeIndexEntry(entry));
    if (entry.type === 'keyframe' && !this.#options.allows(index.bytes + data.length)) {
      this.#failed = true;
      return;
    }
    await index.append(data);
  }

  #goTo(keyframe: Keyframe, parsed: CastParser): void {
    const { header } = parsed;
    if (header === undefined) return;
    this.#parser = new CastParser({ header, position: keyframe.position, at: keyframe.at });
    this.#size = { rows: keyframe.rows, cols: keyframe.cols };
    this.#screen = new ScreenEmulator(this.#size);
    this.#screen.write(Buffer.from(keyframe.screen));
    this.#last = keyframe.position;
    this.#read = keyframe.position;
  }
}

/** Of a keyframe's line; other lines stand at no position. */
function positionOf(line: string): number {
  return (
    parseIndex(`${encodeIndexEntry({ type: 'index', version: INDEX_VERSION })}${line}\n`)
      .keyframes[0]?.position ?? 0
  );
}
