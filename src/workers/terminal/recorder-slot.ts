import type { MessagePort } from 'node:worker_threads';
import type { ExitStatus } from '../../shared/common/wire/index.js';
import type { RecordSpec } from '../../shared/node/ports/index.js';
import { Recorder, type RecorderContext } from './recorder.js';

/** The place for the recorder of a terminal: there is one, or none. */
export class RecorderSlot {
  readonly #context: RecorderContext;
  /** Absent: nobody records it. */
  #recorder: Recorder | undefined;

  constructor(context: RecorderContext) {
    this.#context = context;
  }

  /** Begins to record into `feed`, which belongs to the recorder from here on. */
  begin(feed: MessagePort, spec: RecordSpec): void {
    // Main lets one recording of a terminal at a time begin.
    this.#recorder?.close();
    const recorder = new Recorder(this.#context, feed, spec, () => {
      if (this.#recorder === recorder) this.#recorder = undefined;
    });
    this.#recorder = recorder;
    recorder.start();
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
    this.#recorder?.exited(exit);
  }

  close(): void {
    this.#recorder?.close();
  }
}
