import type { MessagePort } from 'node:worker_threads';
import { viewerEventJson, type ExitStatus } from '../../shared/common/wire/index.js';
import type { RecordSpec } from '../../shared/node/ports/index.js';
import { Recorder, type RecorderContext } from './recorder.js';
import type { Viewer } from './viewer.js';

/** The place for the recorder of a terminal: there is one, or none. */
export class RecorderSlot {
  readonly #context: RecorderContext;
  /** Absent: nobody records it. */
  #recorder: Recorder | undefined;
  /** The program has exited. */
  #isOver = false;

  constructor(context: RecorderContext) {
    this.#context = context;
  }

  /** Begins to record into `feed`, which belongs to the recorder from here on. */
  begin(feed: MessagePort, spec: RecordSpec): void {
    if (this.#isOver) {
      feed.close();
      return;
    }
    // Main lets one recording of a terminal at a time begin.
    this.#recorder?.close();
    const recorder = new Recorder(this.#context, feed, spec, () => {
      if (this.#recorder !== recorder) return;
      this.#recorder = undefined;
      this.#tellAll(false);
    });
    this.#recorder = recorder;
    recorder.start();
    this.#tellAll(true);
  }

  typed(bytes: Uint8Array): void {
    this.#recorder?.typed(bytes);
  }

  outputAdded(count: number): void {
    this.#recorder?.outputAdded(count);
  }

  sizeChanged(): void {
    this.#recorder?.sizeChanged();
  }

  exited(exit: ExitStatus): void {
    this.#isOver = true;
    this.#recorder?.exited(exit);
  }

  /** Whoever comes is told that what happens here is recorded. */
  tell(viewer: Viewer): void {
    if (this.#recorder !== undefined) viewer.sendEvent(this.#event(true));
  }

  close(): void {
    this.#recorder?.close();
  }

  #tellAll(on: boolean): void {
    for (const viewer of this.#context.viewers) if (viewer.ready) viewer.sendEvent(this.#event(on));
  }

  #event(on: boolean): string {
    return viewerEventJson(this.#context.log.head, { type: 'recording', on });
  }
}
