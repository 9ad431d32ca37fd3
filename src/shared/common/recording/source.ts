import type { ByteChannel } from '../byte-channel.js';
import { HoldfastError } from '../errors.js';
import { RECORDING_INDEX_BYTES } from '../limits.js';
import { CastParser, type CastEvent, type ParsedHeader } from './cast-parser.js';
import { openDownload } from './download.js';
import { parseIndex, type Keyframe } from './recording-index.js';

/** A file that can be read from any byte. */
export interface ByteSource {
  /** The bytes from `offset` to the end. Whoever stops before the end has it closed. */
  read(offset: number): AsyncIterable<Uint8Array>;
}

/** A recording that can be played. */
export interface OpenRecording {
  readonly header: ParsedHeader;
  readonly durationMs: number;
  /** In order; none if there is no index. */
  readonly keyframes: readonly Keyframe[];
  /** The events from a place on: the beginning, or a keyframe. */
  events(from: Keyframe | undefined): AsyncIterable<CastEvent>;
}

/**
 * Reads the header of the recording in `source`. Keyframes that lie beyond `bytes`, its length, are left
 * out. Absent `durationMs`: the whole file is read once to know.
 * @throws {HoldfastError} ERR_RECORDING_FORMAT, or what `source` throws.
 */
export async function openRecording(
  source: ByteSource,
  options: {
    readonly keyframes: readonly Keyframe[];
    readonly bytes: number;
    readonly durationMs: number | undefined;
  },
): Promise<OpenRecording> {
  const parser = new CastParser();
  let durationMs = options.durationMs;
  let last = 0;
  for await (const piece of source.read(0)) {
    last = parser.push(piece).at(-1)?.at ?? last;
    if (parser.header !== undefined && durationMs !== undefined) break;
  }
  last = durationMs ?? parser.finish().at(-1)?.at ?? last;
  durationMs ??= last;
  const { header } = parser;
  if (header === undefined) {
    throw new HoldfastError('ERR_RECORDING_FORMAT', 'the recording cannot be read: it is empty');
  }
  return {
    header,
    durationMs,
    keyframes: options.keyframes.filter(({ position }) => position <= options.bytes),
    events: (from) => readEvents(source, header, from),
  };
}

/**
 * A recording of an agent, played from there: only what is looked at crosses the network.
 * @throws {HoldfastError} ERR_RECORDING_NOT_FOUND, ERR_FORBIDDEN, ERR_RECORDING_FORMAT.
 */
export async function openRemoteRecording(
  openChannel: (label: string) => ByteChannel | Promise<ByteChannel>,
  name: string,
): Promise<OpenRecording> {
  const download = await openDownload(openChannel, { name, part: 'index', offset: 0 });
  const { recording } = download;
  const { keyframes } = parseIndex(await readText(download.chunks()));
  return await openRecording(channelSource(openChannel, name), {
    keyframes,
    bytes: recording.bytes,
    durationMs: recording.durationMs,
  });
}

/** The asciicast of a recording of an agent. */
export function channelSource(
  openChannel: (label: string) => ByteChannel | Promise<ByteChannel>,
  name: string,
): ByteSource {
  return {
    async *read(offset) {
      const download = await openDownload(openChannel, { name, part: 'cast', offset });
      yield* download.chunks();
    },
  };
}

/** The text of an index, as much of it as a player takes. */
async function readText(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    text += decoder.decode(chunk, { stream: true });
    if (bytes >= RECORDING_INDEX_BYTES) break;
  }
  return text;
}

async function* readEvents(
  source: ByteSource,
  header: ParsedHeader,
  from: Keyframe | undefined,
): AsyncGenerator<CastEvent> {
  const parser = new CastParser(
    from === undefined ? undefined : { header, position: from.position, at: from.at },
  );
  for await (const piece of source.read(from?.position ?? 0)) yield* parser.push(piece);
  yield* parser.finish();
}
