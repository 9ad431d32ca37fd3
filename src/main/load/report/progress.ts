import { formatBytes, type Style } from '../../cli/output/index.js';
import type { Load } from '../load.js';
import { amount, clockTime, counted, milliseconds, percent } from './format.js';

/** Where progress is shown; a terminal if it says so. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const BLOCK_EVERY_MS = 500;
const LINE_EVERY_MS = 10_000;
const USUAL_COLUMNS = 80;
const MIN_MEASURED_MS = 200;

/**
 * Shows how a load is doing: one block that is drawn again and again on a terminal, a line every ten seconds
 * elsewhere.
 */
export class Progress {
  readonly #load: Load;
  readonly #stream: ProgressStream;
  readonly #style: Style;
  readonly #target: string;
  #timer: NodeJS.Timeout | undefined;
  #shownLines = 0;
  #shownPhase: Load['phase'] | undefined;
  #last = { at: 0, bytes: 0 };
  #rate = 0;

  constructor(load: Load, target: string, stream: ProgressStream, style: Style) {
    this.#load = load;
    this.#target = target;
    this.#stream = stream;
    this.#style = style;
  }

  start(): void {
    this.#last = { at: performance.now(), bytes: 0 };
    this.update();
  }

  /** Shows what is so now, and again some time later. */
  update(): void {
    clearTimeout(this.#timer);
    const isBlock = this.#stream.isTTY === true;
    if (isBlock) this.#drawBlock();
    else this.#writeLine();
    this.#timer = setTimeout(
      () => {
        this.update();
      },
      isBlock ? BLOCK_EVERY_MS : LINE_EVERY_MS,
    );
  }

  /** Takes the block away; lines stay. */
  stop(): void {
    clearTimeout(this.#timer);
    if (this.#shownLines > 0) this.#stream.write(`${this.#backToStart()}\x1b[J`);
    this.#shownLines = 0;
  }

  #drawBlock(): void {
    this.#measure();
    const columns = Math.max(20, (this.#stream.columns ?? USUAL_COLUMNS) - 1);
    const lines = this.#indented().map((line) => line.slice(0, columns));
    // One write, so that nobody sees half of it; each line is cleared to its end.
    const [title = '', ...others] = lines;
    const text = [this.#style.bold(title), ...others].map((line) => `${line}\x1b[K\n`).join('');
    this.#stream.write(`${this.#backToStart()}${text}\x1b[J`);
    this.#shownLines = lines.length;
  }

  #backToStart(): string {
    return this.#shownLines === 0 ? '' : `\x1b[${String(this.#shownLines)}A\r`;
  }

  #writeLine(): void {
    this.#measure();
    const { phase } = this.#load;
    const isNew = this.#shownPhase !== phase && phase !== 'done';
    this.#shownPhase = phase;
    if (phase === 'running') this.#stream.write(`${this.#block().join('; ')}\n`);
    else if (isNew) this.#stream.write(`${this.#title()}\n`);
  }

  #measure(): void {
    const now = performance.now();
    const bytes = this.#load.figures.counts.receivedBytes;
    const { at, bytes: before } = this.#last;
    // A new phase comes at any time; in between so few bytes come that they are no rate.
    if (now - at < MIN_MEASURED_MS) return;
    this.#rate = ((bytes - before) / (now - at)) * 1_000;
    this.#last = { at: now, bytes };
  }

  #indented(): string[] {
    const [title = '', ...others] = this.#block();
    return [title, ...others.map((line) => `  ${line}`)];
  }

  #block(): string[] {
    const { figures, phase, viewers, terminals } = this.#load;
    const lines = [this.#title()];
    if (phase === 'connecting') return lines;
    lines.push(
      `${counted(terminals, 'terminal')}, ${String(viewers.attached)} of ${counted(viewers.all, 'viewer')} attached, ${formatBytes(Math.round(this.#rate))}/s`,
    );
    const latencies = this.#latencies();
    if (latencies !== '') lines.push(latencies);
    const { faults, counts, errors } = figures;
    const lost = faults.lostBytes + faults.lostKeys;
    const doubled = faults.doubledBytes + faults.doubledKeys;
    const errorCount = [...errors.values()].reduce((sum, { count }) => sum + count, 0);
    lines.push(
      `lost ${amount(lost)}, doubled ${amount(doubled)}, corrupt ${amount(faults.corruptLines)}, stated gaps ${amount(counts.statedGaps)}, errors ${amount(errorCount)}`,
    );
    const { agent } = this.#load;
    // It is looked at from when the load stands.
    if (agent !== undefined && phase !== 'starting') {
      const { pssBytes, fds, threads } = agent.latest;
      const cpu = agent.cpu === undefined ? '' : `CPU ${percent(agent.cpu)}, `;
      lines.push(
        `agent ${formatBytes(pssBytes)}, ${cpu}${counted(fds, 'descriptor')}, ${counted(threads, 'thread')}`,
      );
    }
    return lines;
  }

  #title(): string {
    const { phase, plan, elapsedMs } = this.#load;
    switch (phase) {
      case 'connecting':
        return `${this.#target}: making ${counted(plan.connections, 'connection')}`;
      case 'starting': {
        const wanted = plan.terminals + plan.echo;
        return `${this.#target}: starting ${counted(wanted, 'terminal')}`;
      }
      case 'running':
        return plan.durationMs === 0
          ? `${this.#target}: ${clockTime(elapsedMs)}, Ctrl-C ends it`
          : `${this.#target}: ${clockTime(elapsedMs)} of ${clockTime(plan.durationMs)}, Ctrl-C ends it earlier`;
      case 'ending':
      case 'done':
        return `${this.#target}: taking everything back`;
      default:
        return phase satisfies never;
    }
  }

  #latencies(): string {
    const { latencies } = this.#load.figures;
    const parts = (
      [
        ['echo', latencies.echo],
        ['SSH echo', latencies.sshEcho],
        ['exec', latencies.exec],
        ['attach', latencies.attach],
        ['create', latencies.create],
      ] as const
    ).flatMap(([name, of]) => {
      const summary = of.summary();
      if (summary === undefined) return [];
      return [`${name} p50 ${milliseconds(summary.p50)} p99 ${milliseconds(summary.p99)}`];
    });
    return parts.slice(0, 3).join(', ');
  }
}
