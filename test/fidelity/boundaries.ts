import type { Stream } from './streams.js';
import { ViewerEmulator } from './viewer-emulator.js';

const SIZE = { rows: 2, cols: 2 };

/** Where characters and sequences of a stream begin, as an emulator that is given it byte by byte tells. */
export class Boundaries {
  readonly #stream: Stream;
  #known: Uint8Array | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  has(offset: number): boolean {
    this.#known ??= find(this.#stream);
    return this.#known[offset] === 1;
  }
}

/** For each offset, the end included, whether something begins there. */
function find({ events }: Stream): Uint8Array {
  const pieces = events.flatMap((event) => (event.type === 'output' ? [event.bytes] : []));
  const bytes = Buffer.concat(pieces);
  const emulator = new ViewerEmulator(SIZE, 0);
  const found = new Uint8Array(bytes.length + 1);
  for (let at = 0; at <= bytes.length; at += 1) {
    if (emulator.atBoundary) found[at] = 1;
    if (at < bytes.length) emulator.write(bytes.subarray(at, at + 1));
  }
  emulator.dispose();
  return found;
}
