import {
  deferred,
  HoldfastError,
  limits,
  parseEpoch,
  sleep,
  toErrorRecord,
  type Epoch,
  type ErrorRecord,
  type TerminalId,
} from '../../../shared/common/index.js';
import type { ExitStatus, Pace, TerminalSize } from '../../../shared/common/wire/index.js';
import type { WorkspaceLink } from '../../cli/index.js';
import type { LoadFigures } from '../figures/index.js';
import {
  FINISH,
  FINISHED_STATUS,
  isPrinting,
  LinePattern,
  producerCommand,
  type LineStart,
  type Output,
} from '../lines/index.js';
import type { Peer } from '../peers/index.js';
import { Viewer, type ViewerOptions } from './viewer.js';

/** Wide enough for the lines, so that whoever looks in sees them as they are. */
export const USUAL_SIZE: TerminalSize = { rows: 24, cols: 130 };
/** Output of its program that a message about its end quotes. */
const HEAD_BYTES = 160;
/** For viewers to come back, if need be, and hear of an end. */
const END_MS = 20_000;

export interface LoadTerminalOptions {
  readonly id: TerminalId;
  readonly output: Output;
  /** One connection for each viewer. */
  readonly peers: readonly Peer[];
  /** The one by which it is created and ended. */
  readonly owner: Peer;
  readonly figures: LoadFigures;
  readonly pace: Pace | undefined;
  /** Life with nobody attached: what is left of it if this program is killed. */
  readonly idleMs: number;
  /** Output as the first viewer gets it. */
  readonly onOutput?: ((bytes: Uint8Array) => void) | undefined;
}

/** How a terminal is ended: by the agent, or by its program, which is told to finish. */
export type EndKind = 'kill' | 'finish';

/** One terminal of the load with its viewers, from its creation to its end. */
export class LoadTerminal {
  readonly id: TerminalId;
  readonly #options: LoadTerminalOptions;
  readonly #pattern: LinePattern;
  readonly #start: LineStart = { offset: undefined };
  readonly #viewers = new Set<Viewer>();
  /** Visitors, and viewers on their way out. */
  readonly #others = new Set<Viewer>();
  readonly #ended = deferred<undefined>();
  #epoch: Epoch | undefined;
  #state: 'starting' | 'running' | 'ending' | 'ended' = 'starting';
  #expected: number | undefined;
  #creating: Promise<void> | undefined;
  #ending: Promise<void> | undefined;
  #isAbandoned = false;
  #head = Buffer.alloc(0);

  constructor(options: LoadTerminalOptions) {
    this.id = options.id;
    this.#options = options;
    this.#pattern = new LinePattern(options.id);
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Whether it is there to be typed into, which nothing must disturb. */
  get isTypedInto(): boolean {
    return this.#options.output.kind === 'echo';
  }

  /** Whether a line of its output has come. */
  get hasPrinted(): boolean {
    return this.#start.offset !== undefined;
  }

  get output(): Output {
    return this.#options.output;
  }

  /** Those who are to stay, attached or not. */
  get viewers(): ReadonlySet<Viewer> {
    return this.#viewers;
  }

  /**
   * Creates it and has all viewers attach.
   * @throws {HoldfastError} what the agent refused it with; ERR_SPAWN if its program ended at once.
   */
  async start(): Promise<void> {
    this.#creating = this.#create();
    await this.#creating;
    if (this.#ending !== undefined)
      throw new HoldfastError('ERR_CLOSED', 'the terminal is being ended');
    this.#state = 'running';
    const viewers = this.#options.peers.map((peer, index) => this.#addViewer(peer, index === 0));
    await Promise.all(viewers.map((viewer) => viewer.attached));
    this.requireAlive();
  }

  /** @throws {HoldfastError} ERR_SPAWN if its program has ended by itself. */
  requireAlive(): void {
    if (this.#state !== 'ended' || this.#expected !== undefined) return;
    const printed = this.#head.toString().replace(/\s+/g, ' ').trim();
    throw new HoldfastError(
      'ERR_SPAWN',
      `the program in ${this.id} ended at once${printed === '' ? '' : `; it printed: ${printed}`}`,
      { hint: 'The workspace needs sh, stty, awk and cat, as POSIX has them.' },
    );
  }

  /** A viewer more, on `peer`, who stays until he is taken away. Absent: it has ended meanwhile. */
  addViewer(peer: Peer): Viewer | undefined {
    return this.#state === 'running' ? this.#addViewer(peer, false) : undefined;
  }

  /** A viewer who is not one of those that are to hear of the end; until he is taken away. */
  visitor(peer: Peer): Viewer | undefined {
    if (this.#state !== 'running' || this.#epoch === undefined) return undefined;
    const visitor = this.#makeViewer(peer, this.#epoch, { isVisitor: true });
    this.#others.add(visitor);
    return visitor;
  }

  /** Takes a viewer or visitor away; the terminal goes on. */
  async removeViewer(viewer: Viewer): Promise<void> {
    this.#viewers.delete(viewer);
    this.#others.add(viewer);
    this.#checkHeard();
    await viewer.close();
    this.#others.delete(viewer);
  }

  /**
   * Ends it and sees to it that every viewer gets all of its output and hears of its end; then has the agent
   * forget it. What does not go as it should is a fault. Never rejects; called again it waits for the same.
   */
  end(kind: EndKind): Promise<void> {
    return (this.#ending ??= this.#end(kind));
  }

  async #create(): Promise<void> {
    const { owner, figures, output, idleMs } = this.#options;
    const command = producerCommand(this.#pattern, output);
    const { epoch } = await owner.request(async (link) => {
      // The wait for a turn is ours, not the agent's.
      const begun = performance.now();
      const created = await link.create(this.id, { ...USUAL_SIZE, command, idleMs });
      figures.latencies.create.record(performance.now() - begun);
      return created;
    });
    figures.counts.created += 1;
    this.#epoch = parseEpoch(epoch);
  }

  async #end(kind: EndKind): Promise<void> {
    // One that is on its way would be there after all.
    await this.#creating?.catch(() => undefined);
    if (this.#state === 'running') {
      this.#state = 'ending';
      // One who comes when it has been forgotten would start a shell in its place.
      await Promise.all([...this.#others].map((viewer) => viewer.close()));
      await this.#endProgram(kind).catch((error: unknown) => {
        this.#failed(error);
      });
      await this.#untilAllHeard();
      this.#options.figures.counts.ended += 1;
    }
    this.#state = 'ended';
    await Promise.all([...this.#viewers].map((viewer) => viewer.close()));
    await this.#kill().catch((error: unknown) => {
      this.#failed(error);
    });
  }

  /** Closes what it has here; the agent ends it when it has been idle for long enough. */
  async abandon(): Promise<void> {
    this.#state = 'ended';
    this.#isAbandoned = true;
    this.#ended.resolve(undefined);
    await Promise.all([...this.#viewers, ...this.#others].map((viewer) => viewer.close()));
  }

  async #endProgram(kind: EndKind): Promise<void> {
    const typist = [...this.#viewers].find((viewer) => viewer.isAttached);
    // Before it prints the kernel would still echo what is typed.
    const prints = this.hasPrinted && this.output.kind === 'rate';
    if (kind === 'finish' && prints && typist !== undefined) {
      this.#expected = FINISHED_STATUS;
      typist.type(FINISH);
      return;
    }
    this.#expected = -1;
    // Asked once more the agent would forget it, and with it what its viewers have not heard yet.
    await this.#kill((link) => link.kill(this.id, 'SIGHUP'));
  }

  /** Of one that has exited this has the agent forget it. */
  async #kill(again?: (link: WorkspaceLink) => Promise<void>): Promise<void> {
    try {
      await this.#options.owner.request((link) => link.kill(this.id), again);
    } catch (error) {
      if (toErrorRecord(error).code !== 'ERR_TERMINAL_NOT_FOUND') throw error;
    }
  }

  async #untilAllHeard(): Promise<void> {
    if ([...this.#viewers].some((viewer) => viewer.exit === undefined)) {
      const waited = new AbortController();
      const late = sleep(END_MS, waited.signal).catch(() => undefined);
      await Promise.race([this.#ended.promise, late]);
      waited.abort();
    }
    const missing = [...this.#viewers].filter((viewer) => viewer.exit === undefined).length;
    if (missing > 0 && !this.#isAbandoned) {
      const text = `${this.id}: ${String(missing)} viewers did not hear of its end`;
      this.#options.figures.fault('unfinished', missing, text);
    }
  }

  #addViewer(peer: Peer, isFirst: boolean): Viewer {
    if (this.#epoch === undefined) throw new Error('a viewer before the terminal');
    const onOutput = isFirst ? this.#firstOutput : undefined;
    const viewer = this.#makeViewer(peer, this.#epoch, { isVisitor: false, onOutput });
    this.#viewers.add(viewer);
    return viewer;
  }

  readonly #firstOutput = (bytes: Uint8Array): void => {
    if (this.#head.length < HEAD_BYTES)
      this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD_BYTES - this.#head.length)]);
    this.#options.onOutput?.(bytes);
  };

  #makeViewer(
    peer: Peer,
    epoch: Epoch,
    kind: Pick<ViewerOptions, 'isVisitor' | 'onOutput'>,
  ): Viewer {
    const { figures, pace, output } = this.#options;
    const viewer: Viewer = new Viewer({
      id: this.id,
      epoch,
      peer,
      figures,
      pace,
      size: USUAL_SIZE,
      lines: isPrinting(output) ? { pattern: this.#pattern, start: this.#start } : undefined,
      ...kind,
      onExit: (exit) => {
        this.#exited(exit);
      },
      onReplaced: (before) => {
        void this.#replaced(viewer, before);
      },
    });
    viewer.start();
    return viewer;
  }

  #exited(exit: ExitStatus): void {
    const { figures } = this.#options;
    const expected = this.#expected;
    if (this.#state === 'running' || this.#state === 'starting') {
      this.#state = 'ended';
      const text = `${this.id} ended by itself: ${describeExit(exit)}`;
      figures.fault('wrongExits', 1, text);
    } else if (expected !== undefined && expected >= 0) {
      if (exit.kind !== 'status' || exit.status !== expected) {
        const text = `${this.id} was told to finish and ended otherwise: ${describeExit(exit)}`;
        figures.fault('wrongExits', 1, text);
      }
    }
    this.#checkHeard();
  }

  #checkHeard(): void {
    if (this.#state === 'running' || this.#state === 'starting') return;
    if ([...this.#viewers].every((viewer) => viewer.exit !== undefined))
      this.#ended.resolve(undefined);
  }

  /** The agent did not know the terminal any more, and has started a shell in its place. */
  async #replaced(viewer: Viewer, before: ErrorRecord | undefined): Promise<void> {
    const why = before === undefined ? '' : `; before: ${before.code}, ${before.message}`;
    const text = `${this.id} was gone when a viewer came back${why}`;
    this.#options.figures.fault('unfinished', 1, text);
    this.#viewers.delete(viewer);
    await viewer.close();
    await this.#kill().catch((error: unknown) => {
      this.#failed(error);
    });
  }

  #failed(error: unknown): void {
    const { code, message } = toErrorRecord(error);
    if (code !== 'ERR_CLOSED') this.#options.figures.error(code, message);
  }
}

/** For messages. */
export function describeExit(exit: ExitStatus): string {
  switch (exit.kind) {
    case 'status':
      return `status ${String(exit.status)}`;
    case 'signal':
      return `signal ${exit.signal}`;
    case 'unknown':
      return 'nobody knows how';
    default:
      return exit satisfies never;
  }
}

/** A name that says what it is and whose, such as `load-k3f9-0042`. */
export function terminalName(run: string, number: number): TerminalId {
  return `load-${run}-${String(number).padStart(4, '0')}` as TerminalId;
}

/** Terminals live on for this long when this program is killed; a reconnect must be possible within it. */
export const ORPHAN_MS = 60_000;

/** The idle time of the terminals of a load that goes on for `durationMs` (0: nobody knows). */
export function idleTime(viewers: number, durationMs: number): number {
  if (viewers > 0) return ORPHAN_MS;
  return Math.min(limits.IDLE_MAX_MS, (durationMs === 0 ? 3_600_000 : durationMs) + ORPHAN_MS);
}
