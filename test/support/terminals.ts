import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import {
  deferred,
  HoldfastError,
  limits,
  silentLogger,
  systemClock,
  type ConnectionId,
  type Epoch,
  type Logger,
  type TerminalId,
  type ViewerId,
} from '../../src/shared/common/index.js';
import {
  decodeAgentFrame,
  encodeClientFrame,
  parsePresence,
  parseViewerEvent,
  Permissions,
  TERMINAL_PROTOCOL_VERSION,
  type AgentFrame,
  type ClientFrame,
  type ExitStatus,
  type Presence,
  type TerminalSettings,
  type ViewerControl,
  type ViewerEvent,
  type ViewerEventAt,
} from '../../src/shared/common/wire/index.js';
import { DEFAULT_PORT_CREDIT, PortChannel } from '../../src/shared/node/ports/index.js';
import {
  TerminalRegistry,
  type PtyCommand,
  type TerminalsOptions,
} from '../../src/main/agent/terminals/index.js';

/** What a test's terminals run: `script` by sh. */
export function shell(script: string): Omit<PtyCommand, 'size'> {
  return {
    file: '/bin/sh',
    args: ['-c', script],
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color' },
    cwd: '/',
  };
}

/** A registry with real workers; `script` says what terminal `id` runs. */
export function createTerminals(
  script: (id: TerminalId) => string,
  options: Partial<TerminalsOptions> = {},
): TerminalRegistry {
  const terminals = new TerminalRegistry({
    workers: 2,
    ringBytes: limits.RING_BYTES,
    maxTerminals: 500,
    maxTerminalsPerSubject: 500,
    exitedKeepMs: 60_000,
    idleMs: { terminal: 60_000, reconnectingPty: 60_000 },
    beatMs: limits.WORKER_BEAT_MS,
    faults: false,
    clock: systemClock,
    logger: process.env['TEST_LOG'] === undefined ? silentLogger : consoleLogger,
    prepareShell: (id) => Promise.resolve(shell(script(id))),
    ...options,
  });
  terminals.start();
  return terminals;
}

export const consoleLogger: Logger = {
  error: (message, fields) => {
    console.error('error', message, fields);
  },
  warn: (message, fields) => {
    console.error('warn', message, fields);
  },
  info: (message, fields) => {
    console.error('info', message, fields);
  },
  debug: () => undefined,
  child: () => consoleLogger,
};

export interface OpenOptions {
  readonly protocol?: 'terminal' | 'reconnecting-pty';
  readonly scopes?: readonly string[];
  readonly subject?: string;
  /** Label after the id. */
  readonly size?: string;
}

/** Opens a channel of a verified peer, as the peers folder would. */
export function openChannel(
  terminals: TerminalRegistry,
  id: string,
  {
    protocol = 'terminal',
    scopes = ['owner'],
    subject = 'tester',
    size = '24:80',
  }: OpenOptions = {},
): PortChannel {
  const { port1, port2 } = new MessageChannel();
  terminals.attach({
    peer: {
      connectionId: 'test' as ConnectionId,
      subject,
      permissions: new Permissions(scopes),
      engine: 'framed',
      disconnect: () => undefined,
    },
    label: `${id}:${size}`,
    protocol,
    handle: { port: port2, credit: DEFAULT_PORT_CREDIT },
  });
  return new PortChannel({ port: port1, credit: DEFAULT_PORT_CREDIT });
}

export interface ViewerOptions extends OpenOptions {
  readonly epoch?: Epoch;
  readonly offset?: number;
  readonly window?: number;
  readonly settings?: TerminalSettings;
  readonly wantsType?: boolean;
  /** False: acknowledges nothing until `ack` is called. */
  readonly acks?: boolean;
  readonly clientId?: Uint8Array;
  /** Takes what its channel brought only this often, so that the channel is full in between. Absent: at once. */
  readonly takesEveryMs?: number;
}

/** One viewer of the `terminal` protocol that keeps all it was sent, with the offsets that were stated. */
export class TestViewer {
  readonly channel: PortChannel;
  readonly attached: Promise<Extract<AgentFrame, { type: 'attached' }>>;
  /** How it ended: the exit frame's status, the error frame's code, or `lost`/`closed` without either. */
  readonly ended: Promise<ExitStatus | { readonly kind: 'error'; readonly code: string }>;
  readonly pieces: { offset: number; bytes: Uint8Array; replay: boolean; quiet: boolean }[] = [];
  readonly gaps: { from: number; to: number }[] = [];
  readonly frames: AgentFrame[] = [];
  totalBytes: number | undefined;
  exitAt = 0;
  lastOutputAt = 0;
  next = 0;
  #inputSeq = 0;
  readonly #window: number;
  #acks: boolean;
  readonly #watchers = new Set<() => void>();
  #untaken = 0;

  constructor(terminals: TerminalRegistry, id: string, options: ViewerOptions = {}) {
    this.channel = openChannel(terminals, id, options);
    this.#window = options.window ?? 256 * 1024;
    this.#acks = options.acks ?? true;
    const attached = deferred<Extract<AgentFrame, { type: 'attached' }>>();
    const ended = deferred<ExitStatus | { kind: 'error'; code: string }>();
    this.attached = attached.promise;
    this.ended = ended.promise;
    attached.promise.catch(() => undefined);
    this.channel.start({
      message: (bytes) => {
        if (options.takesEveryMs === undefined) this.channel.consumed(bytes.byteLength);
        else this.#takeLater(bytes.byteLength, options.takesEveryMs);
        const frame = decodeAgentFrame(bytes);
        if (frame.type !== 'output') this.frames.push(frame);
        switch (frame.type) {
          case 'attached':
            this.next = frame.offset;
            this.#inputSeq = frame.inputSeq;
            attached.resolve(frame);
            break;
          case 'output':
            this.lastOutputAt = performance.now();
            this.pieces.push(frame);
            this.next = frame.nextOffset;
            if (this.#acks) this.ack();
            this.received();
            break;
          case 'gap':
            this.gaps.push(frame);
            this.next = frame.to;
            if (this.#acks) this.ack();
            break;
          case 'exit':
            this.exitAt = performance.now();
            this.totalBytes = frame.totalBytes;
            ended.resolve(frame.exit);
            break;
          case 'error':
            ended.resolve({ kind: 'error', code: frame.code });
            attached.reject(new HoldfastError(frame.code, frame.message));
            break;
          default:
        }
        for (const watcher of this.#watchers) watcher();
      },
      credit: () => undefined,
      end: (end) => {
        ended.resolve({ kind: 'error', code: end.type });
        attached.reject(new HoldfastError('ERR_CHANNEL_CLOSED', end.type));
        for (const watcher of this.#watchers) watcher();
      },
    });
    const [rows = 24, cols = 80] = (options.size ?? '24:80').split(':').map(Number);
    this.send({
      type: 'attach',
      version: TERMINAL_PROTOCOL_VERSION,
      wantsType: options.wantsType ?? true,
      epoch: options.epoch,
      offset: options.offset,
      size: { rows, cols },
      window: this.#window,
      clientId: options.clientId ?? crypto.getRandomValues(new Uint8Array(16)),
      settings: options.settings ?? {},
    });
  }

  /** For those who do something with output; called after each piece. */
  received(): void {
    // Kept only.
  }

  send(frame: ClientFrame): void {
    this.channel.send(encodeClientFrame(frame));
  }

  type(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.send({ type: 'input', seq: this.#inputSeq, bytes });
    this.#inputSeq += bytes.length;
  }

  ack(): void {
    this.send({ type: 'ack', offset: this.next, window: this.#window });
  }

  /** From now on acknowledges everything, beginning with what is there. */
  startAcks(): void {
    this.#acks = true;
    this.ack();
  }

  /** The latest presence. Absent: none came yet. */
  get presence(): Presence | undefined {
    const frame = this.frames.findLast(({ type }) => type === 'presence');
    return frame?.type === 'presence' ? parsePresence(frame.json) : undefined;
  }

  /** Own number, as a presence has told it; until then one that nobody has. */
  get you(): ViewerId {
    return this.presence?.you ?? (-1 as ViewerId);
  }

  /** Events of `type` so far. */
  events<T extends ViewerEvent['type']>(type: T): Extract<ViewerEventAt, { type: T }>[] {
    return this.frames.flatMap((frame) => {
      const event = frame.type === 'event' ? parseViewerEvent(frame.json) : undefined;
      return event?.type === type ? [event as Extract<ViewerEventAt, { type: T }>] : [];
    });
  }

  control(control: ViewerControl): void {
    this.send({ type: 'control', control });
  }

  /** All output so far, in one piece; gaps leave nothing. */
  bytes(): Buffer {
    return Buffer.concat(this.pieces.map(({ bytes }) => bytes));
  }

  text(): string {
    return this.bytes().toString('latin1');
  }

  /** Resolves when the output so far matches. */
  async sees(pattern: RegExp | string, ms = 10_000): Promise<void> {
    await this.until(
      () =>
        typeof pattern === 'string' ? this.text().includes(pattern) : pattern.test(this.text()),
      ms,
      String(pattern),
    );
  }

  async until(condition: () => boolean, ms = 10_000, what = 'condition'): Promise<void> {
    if (condition()) return;
    const done = deferred<void>();
    const watcher = (): void => {
      if (condition()) done.resolve();
    };
    this.#watchers.add(watcher);
    const timer = setTimeout(() => {
      done.reject(
        new Error(
          `not seen in ${String(ms)} ms: ${what}; output ends ${JSON.stringify(this.text().slice(-300))}`,
        ),
      );
    }, ms);
    try {
      await done.promise;
    } finally {
      clearTimeout(timer);
      this.#watchers.delete(watcher);
    }
  }

  close(): void {
    this.channel.close();
  }

  #takeLater(bytes: number, ms: number): void {
    if (this.#untaken === 0) {
      setTimeout(() => {
        this.channel.consumed(this.#untaken);
        this.#untaken = 0;
      }, ms);
    }
    this.#untaken += bytes;
  }
}

/**
 * A viewer whose channel was lost, back as a client would be: whoever comes while its worker is dead and main has not
 * heard of it is closed without a word, which says to come again.
 */
export async function comeBack(
  terminals: TerminalRegistry,
  id: string,
  options: ViewerOptions,
): Promise<TestViewer> {
  for (;;) {
    const viewer = new TestViewer(terminals, id, options);
    const isIn = await viewer.attached.then(
      () => true,
      () => false,
    );
    if (isIn) return viewer;
    await sleep(5);
  }
}
