import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { once } from '../../../src/shared/common/index.js';
import { compileC } from '../compile.js';
import { CandidateRewriter } from './candidates.js';

/** What a path does to packets, in each direction alike. */
export interface Path {
  /** One way. */
  readonly delayMs: number;
  /** Share of packets that are lost, 0 to 1. */
  readonly loss?: number;
  /** Of the narrow place; with how many bytes may wait for it. Absent: as fast as it goes. */
  readonly bytesPerSecond?: number;
  readonly queueBytes?: number;
  readonly seed: number;
}

/** What went one way over a link. */
export interface LinkFigures {
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesOut: number;
  readonly lost: number;
  /** At a full queue. */
  readonly dropped: number;
  /** Largest packet, in bytes of UDP payload. */
  readonly largest: number;
}

export type LinkEnd = 'a' | 'b';

/** A path between two WebRTC ends, each of which must be shown the relay in place of the other. */
export interface RelayLink {
  /** What each end is told of the other; see {@link CandidateRewriter}. */
  readonly signals: CandidateRewriter;
  figures(): Promise<{ readonly aToB: LinkFigures; readonly bToA: LinkFigures }>;
  /** Drops what is on its way; for a relay there are only so many. Idempotent. */
  close(): Promise<void>;
}

/** At a time. */
const MOST_LINKS = 64;

/**
 * A UDP path with delay, loss and a narrow place, on loopback, in a process of its own: in C, since in Node it would
 * cost more than what is measured. Carries 100 MB/s of packets of 1,200 bytes for 0.6 of a core.
 */
export class UdpRelay {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: ((line: string) => void)[] = [];
  readonly #ended: Promise<void>;
  #over = false;
  readonly #links = new Set<number>();

  private constructor(file: string) {
    this.#child = spawn(file, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin.on('error', () => undefined);
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#answers.shift()?.(line);
    });
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#over = true;
        for (const answer of this.#answers.splice(0)) answer('error: the relay has ended');
        resolve();
      };
      this.#child.once('error', end);
      this.#child.once('exit', end);
    });
  }

  /** Compiles it into `scratch` and starts it. A text instead: why there is none. */
  static start(scratch: string): UdpRelay | string {
    const compiled = compileC(scratch, 'harness/udp-relay/udp-relay.c');
    return typeof compiled === 'string' ? compiled : new UdpRelay(compiled.file);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** A new link; it lasts as long as the relay if it is not closed. @throws {Error} There are too many. */
  async link({
    delayMs,
    loss = 0,
    bytesPerSecond = 0,
    queueBytes = 0,
    seed,
  }: Path): Promise<RelayLink> {
    const id = this.#freeId();
    this.#links.add(id);
    const words = [id, delayMs * 1e3, loss * 1e6, bytesPerSecond, queueBytes, seed];
    const answer = await this.#ask(`link ${words.map(Math.round).join(' ')}`);
    const [, portA = 0, portB = 0] = answer.split(' ').slice(1).map(Number);
    return {
      signals: new CandidateRewriter({ a: portA, b: portB }, (end, address, port) => {
        void this.#ask(`end ${String(id)} ${end} ${address} ${String(port)}`);
      }),
      figures: async () => {
        const words = (await this.#ask(`stats ${String(id)}`)).split(' ').slice(2).map(Number);
        const of = (at: number): LinkFigures => {
          const [packetsIn = 0, packetsOut = 0, bytesOut = 0, lost = 0, dropped = 0, largest = 0] =
            words.slice(at);
          return { packetsIn, packetsOut, bytesOut, lost, dropped, largest };
        };
        return { aToB: of(0), bToA: of(6) };
      },
      close: once(async () => {
        if (this.#over) return;
        await this.#ask(`unlink ${String(id)}`);
        this.#links.delete(id);
      }),
    };
  }

  #freeId(): number {
    for (let id = 0; id < MOST_LINKS; id += 1) if (!this.#links.has(id)) return id;
    throw new Error('too many links over one relay');
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
  }

  async #ask(line: string): Promise<string> {
    if (this.#over) throw new Error('the relay has ended');
    const answer = await new Promise<string>((resolve) => {
      this.#answers.push(resolve);
      this.#child.stdin.write(`${line}\n`);
    });
    if (answer.startsWith('error')) throw new Error(`udp-relay: ${answer}`);
    return answer;
  }
}
