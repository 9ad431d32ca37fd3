import { PassThrough, Writable } from 'node:stream';
import {
  Backoff,
  deferred,
  HoldfastError,
  sleep,
  toErrorRecord,
  type Closable,
} from '../../../shared/common/index.js';
import type { ExitStatus } from '../../../shared/common/wire/index.js';
import { startSession } from '../../client/index.js';
import { KeyEcho, ReadyGate } from '../keys/index.js';
import { ECHO } from '../lines/index.js';
import { isAbort } from '../peers/index.js';
import { USUAL_SIZE } from '../terminals/index.js';
import { SshKeeper, type SshKeeperOptions } from './ssh-keeper.js';

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 2_000;

export interface SshTypistOptions extends SshKeeperOptions {
  readonly keyEveryMs: number;
  /** From 0 to 1: see {@link KeyEcho}. */
  readonly phase: number;
  /** Typing is over. */
  readonly stop: AbortSignal;
}

/** A session that is typed into. */
interface Session {
  readonly ended: Promise<ExitStatus>;
}

/**
 * Somebody with an SSH session of his own on a terminal, who types. When the connection breaks he comes back
 * and goes on in a new session, as SSH cannot do better.
 */
export class SshTypist implements Closable {
  readonly #options: SshTypistOptions;
  readonly #ssh: SshKeeper;
  readonly #keys: KeyEcho;
  #stdin = new PassThrough();
  #running: Promise<void> | undefined;

  constructor(options: SshTypistOptions) {
    const { figures, keyEveryMs, phase } = options;
    this.#options = options;
    this.#ssh = new SshKeeper(options);
    this.#keys = new KeyEcho({
      everyMs: keyEveryMs,
      phase,
      type: (bytes) => {
        figures.counts.sshKeys += 1;
        this.#stdin.write(bytes);
        return true;
      },
      onEcho: (ms) => {
        figures.latencies.sshEcho.record(ms);
      },
      onFault: (kind, count) => {
        figures.fault(kind, count, `an SSH session: ${kind} ${String(count)}`);
      },
    });
  }

  /** Resolves when the first session is typed into. @throws {HoldfastError} why there is none. */
  async start(): Promise<void> {
    const first = await this.#session();
    this.#running = this.#goOn(first);
  }

  async close(): Promise<void> {
    await this.#keys.finish(this.#options.signal);
    await this.#ssh.close();
    await this.#running;
  }

  /** One session after the other. Never rejects. */
  async #goOn(first: Session): Promise<void> {
    const { figures, stop } = this.#options;
    const backoff = new Backoff({ minMs: RETRY_MIN_MS, maxMs: RETRY_MAX_MS });
    let session: Session | undefined = first;
    for (;;) {
      const exit: ExitStatus | undefined = await session?.ended;
      this.#keys.abandon();
      if (stop.aborted) return;
      if (exit !== undefined && exit.kind !== 'unknown')
        figures.fault('wrongExits', 1, 'an SSH session ended by itself');
      try {
        session = await this.#session();
        backoff.reset();
      } catch (error) {
        if (isAbort(error, stop)) return;
        const { code, message } = toErrorRecord(error);
        if (code !== 'ERR_PEER_LOST') figures.error(code, `SSH: ${message}`);
        session = undefined;
        await sleep(backoff.next(), stop).catch(() => undefined);
      }
    }
  }

  /** Resolves when a new session is typed into. */
  async #session(): Promise<Session> {
    const stdin = new PassThrough();
    const ready = deferred<undefined>();
    const gate = new ReadyGate(
      () => {
        ready.resolve(undefined);
      },
      (bytes) => {
        this.#keys.data(bytes);
      },
    );
    const stdout = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        gate.data(chunk);
        done();
      },
    });
    const session = await startSession(await this.#ssh.get(), {
      command: ECHO,
      pty: { term: 'xterm-256color', size: USUAL_SIZE },
      env: {},
      stdin,
      stdout,
      stderr: stdout,
    });
    const early = session.exited.then((exit) => {
      if (!gate.isOpen) throw endedEarly(exit);
    });
    await Promise.race([ready.promise, early]);
    this.#stdin = stdin;
    this.#keys.start();
    return { ended: session.exited };
  }
}

function endedEarly(exit: ExitStatus): HoldfastError {
  return exit.kind === 'unknown'
    ? new HoldfastError('ERR_PEER_LOST', 'the SSH connection ended')
    : new HoldfastError('ERR_SPAWN', 'the program of an SSH session ended at once', {
        hint: 'The workspace needs sh, stty and cat, as POSIX has them.',
      });
}
