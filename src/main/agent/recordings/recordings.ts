import { join } from 'node:path';
import {
  HoldfastError,
  limits,
  once,
  wrapError,
  type Clock,
  type Closable,
  type Logger,
  type TerminalId,
} from '../../../shared/common/index.js';
import type { RecordingRequests, RecordOptions } from '../../../shared/common/peer-auth/index.js';
import {
  isRecordingName,
  parseRecordingLabel,
  type RecordingInfo,
} from '../../../shared/common/wire/index.js';
import { RecordingRoom, type FaultKind } from '../../../shared/node/ports/index.js';
import type { IncomingChannel } from '../peers/types.js';
import type { Terminals } from '../terminals/types.js';
import { WorkerPool } from '../worker-pool/index.js';
import { ActiveRecording } from './active-recording.js';
import { receiveChannel } from './download.js';
import { RecordingFolder, recordingNotFound } from './folder.js';

export interface RecordingsOptions {
  /** The agent's own folder; recordings lie in `recordings` in it. */
  readonly stateDir: string;
  /** What all recordings may take, in bytes. */
  readonly quotaBytes: number;
  /** What one recording may take, in bytes. */
  readonly maxBytes: number;
  readonly terminals: Pick<Terminals, 'facts' | 'feed'>;
  readonly beatMs: number;
  readonly faults: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The agent's recordings. */
export interface Recordings extends RecordingRequests, Closable {
  /** Serves a `recording` channel. */
  download(channel: IncomingChannel): void;
  /** Another worker has terminal `id`. */
  moved(id: TerminalId): void;
  /** Terminal `id` has ended, its log at `total`. */
  terminalEnded(id: TerminalId, total: number): void;
  /** Name of the recording that is being made of `id`. Absent: none is. */
  nameOf(id: TerminalId): string | undefined;
  /** Kills the worker of a recording, for tests; does nothing unless the door was opened at start. */
  injectFault(name: string, kind: FaultKind): void;
}

const HEAP_MB = 256;
/** A recording that could not hold even this much is refused. */
const LEAST_BYTES = 128 * limits.KIB;
/** How long whoever asks for a recording waits for its first line. */
const BEGIN_MS = 5_000;
/** How long a closing agent waits for files to be completed. */
const CLOSE_MS = 2_000;

/** Recordings of `options.terminals`. Touches the disk only when first asked for something. */
export function createRecordings(options: RecordingsOptions): Recordings {
  return new RecordingRegistry(options);
}

class RecordingRegistry implements Recordings {
  readonly #options: RecordingsOptions;
  readonly #folder: RecordingFolder;
  readonly #pool: WorkerPool;
  readonly #room = new RecordingRoom();
  readonly #active = new Map<string, ActiveRecording>();
  /** Between the request and the start, so that two at the same time cannot both begin. */
  readonly #starting = new Set<TerminalId>();
  #ready: Promise<void> | undefined;
  #threads = false;
  #downloads = 0;
  #closing = false;

  constructor(options: RecordingsOptions) {
    this.#options = options;
    this.#folder = new RecordingFolder(join(options.stateDir, 'recordings'));
    this.#pool = new WorkerPool({
      name: 'recording',
      entry: new URL('../../../workers/recording/entry.js', import.meta.url),
      size: 1,
      tasksPerWorker: limits.RECORDINGS,
      beatMs: options.beatMs,
      faults: options.faults,
      maxHeapMb: HEAP_MB,
      clock: options.clock,
      logger: options.logger,
    });
  }

  nameOf(id: TerminalId): string | undefined {
    for (const { terminal, name, info } of this.#active.values()) {
      if (terminal === id && info.state === 'recording') return name;
    }
    return undefined;
  }

  async record(id: TerminalId, { input, name }: RecordOptions): Promise<RecordingInfo> {
    if (name !== undefined && !isRecordingName(name)) {
      throw new HoldfastError('ERR_INVALID_ARGUMENT', 'not a name for a recording', {
        hint: 'Use letters, digits, dots, dashes and underscores.',
      });
    }
    if (this.#starting.has(id) || this.nameOf(id) !== undefined) {
      throw new HoldfastError('ERR_RECORDING_EXISTS', `${id} is being recorded already`);
    }
    this.#starting.add(id);
    try {
      await this.#prepare();
      return await this.#begin(id, name, input);
    } finally {
      this.#starting.delete(id);
    }
  }

  async stop(name: string): Promise<RecordingInfo> {
    const active = this.#active.get(name);
    if (active === undefined) throw recordingNotFound(name);
    active.stop('stopped');
    await active.ended;
    return active.info;
  }

  async list(): Promise<RecordingInfo[]> {
    await this.#prepare();
    const rows: RecordingInfo[] = [];
    const names = new Set([...(await this.#folder.names()), ...this.#active.keys()]);
    for (const name of [...names].sort()) {
      const info = await this.#describe(name);
      if (info !== undefined) rows.push(info);
    }
    return rows;
  }

  async delete(name: string): Promise<void> {
    await this.#prepare();
    if (!isRecordingName(name)) throw recordingNotFound(name);
    const active = this.#active.get(name);
    if (active?.info.state === 'recording') {
      throw new HoldfastError('ERR_RECORDING_EXISTS', `${name} is still being recorded`, {
        hint: 'Stop it first.',
      });
    }
    await active?.settled;
    const bytes = await this.#folder.size(name);
    await this.#folder.remove(name);
    this.#room.give(roundUp(bytes));
    this.#options.logger.info('recording deleted', { recording: name });
  }

  download(incoming: IncomingChannel): void {
    const waiting = receiveChannel(incoming.handle);
    this.#downloads += 1;
    this.#openPart(incoming)
      .then(({ file, offset, recording }) => waiting.send(file, offset, recording))
      .catch((error: unknown) => {
        const refusal = wrapError(error, 'ERR_INTERNAL', 'read the recording');
        this.#options.logger.warn('channel refused', {
          connectionId: incoming.peer.connectionId,
          code: refusal.code,
        });
        waiting.refuse(refusal);
      })
      .finally(() => {
        this.#downloads -= 1;
      });
  }

  moved(id: TerminalId): void {
    for (const active of this.#active.values()) if (active.terminal === id) active.moved();
  }

  terminalEnded(id: TerminalId, total: number): void {
    for (const active of this.#active.values()) {
      if (active.terminal === id) active.stop('exit', total);
    }
  }

  injectFault(name: string, kind: FaultKind): void {
    this.#active.get(name)?.fault(kind);
  }

  /** Call it after the terminals have closed: their exits are then in the files. */
  readonly close = once(async () => {
    this.#closing = true;
    for (const active of this.#active.values()) active.stop('closed');
    const ends = [...this.#active.values()].map(({ ended }) => ended);
    await withinTime(Promise.all(ends), CLOSE_MS);
    if (this.#threads) await this.#pool.close();
  });

  async #begin(id: TerminalId, wanted: string | undefined, input: boolean): Promise<RecordingInfo> {
    const { terminals, logger, maxBytes } = this.#options;
    const names = new Set([...(await this.#folder.names()), ...this.#active.keys()]);
    if (wanted !== undefined && names.has(wanted)) {
      throw new HoldfastError('ERR_RECORDING_EXISTS', `there is a recording ${wanted} already`);
    }
    if (names.size >= limits.RECORDINGS || this.#room.left < LEAST_BYTES) {
      throw new HoldfastError('ERR_RECORDING_QUOTA', 'there is no space for another recording');
    }
    if (this.#closing) throw new HoldfastError('ERR_CLOSED', 'the agent is closing');
    const facts = terminals.facts(id);
    this.#pool.start();
    this.#threads = true;
    this.#pool.requireHealthy();
    const name = wanted ?? freeName(id, names);
    const active = new ActiveRecording({
      name,
      terminal: id,
      facts,
      input,
      folder: this.#folder.path,
      maxBytes,
      room: this.#room,
      pool: this.#pool,
      terminals,
      logger,
    });
    this.#active.set(name, active);
    active.start();
    logger.info('recording started', { recording: name, terminal: id, input });
    void this.#settle(active);
    // Whoever asked may count on all from here on being in it. A terminal that is being given to
    // another worker just now takes a little longer.
    await withinTime(active.begun, BEGIN_MS);
    return active.info;
  }

  async #settle(active: ActiveRecording): Promise<void> {
    const reason = await active.ended;
    const { bytes, durationMs, missing } = active.info;
    this.#options.logger.info('recording ended', {
      recording: active.name,
      reason,
      bytes,
      durationMs,
      missing,
    });
    await active.settled;
    const used = roundUp(await this.#folder.size(active.name));
    this.#room.give(active.reserved - used);
    this.#active.delete(active.name);
  }

  #describe(name: string): Promise<RecordingInfo | undefined> {
    const active = this.#active.get(name);
    return active === undefined ? this.#folder.describe(name) : Promise.resolve(active.info);
  }

  async #openPart({ peer, label }: IncomingChannel) {
    if (this.#downloads > limits.RECORDING_DOWNLOADS) {
      throw new HoldfastError('ERR_PEER_LIMIT', 'too many recordings are being fetched');
    }
    const { name, part, offset } = parseRecordingLabel(label);
    await this.#prepare();
    const recording = await this.#describe(name);
    if (recording === undefined) throw recordingNotFound(name);
    if (peer.permissions.terminalAccess(recording.terminal as TerminalId) !== 'type') {
      throw new HoldfastError('ERR_FORBIDDEN', 'the ticket does not allow this recording');
    }
    const file = await this.#folder.open(name, part);
    // Of one that is being written only whole lines.
    const active = this.#active.get(name);
    const bytes = part === 'cast' && active !== undefined ? active.info.bytes : file.bytes;
    return { file: { ...file, bytes }, offset, recording };
  }

  /** Makes the folder and counts what is in it, once. */
  #prepare(): Promise<void> {
    this.#ready ??= this.#count().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #count(): Promise<void> {
    await this.#folder.prepare();
    let used = 0;
    for (const name of await this.#folder.names()) used += roundUp(await this.#folder.size(name));
    this.#room.give(this.#options.quotaBytes - used);
  }
}

/** Waits for `event`, but not longer than `ms`. */
async function withinTime(event: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([event, late]);
  clearTimeout(timer);
}

/** `build-20260131-101500`, with a number behind it if that is taken. */
function freeName(id: TerminalId, taken: ReadonlySet<string>): string {
  const [date = '', time = ''] = new Date().toISOString().split('T');
  const stem = `${id}-${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}`;
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? stem : `${stem}-${String(number)}`;
    if (!taken.has(name)) return name;
  }
}

/** The room is counted in whole KiB. */
function roundUp(bytes: number): number {
  return Math.ceil(bytes / limits.KIB) * limits.KIB;
}
