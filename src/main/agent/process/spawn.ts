import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { HoldfastError, once, wrapError, type Closable } from '../../../shared/common/index.js';
import type { ExitStatus } from '../../../shared/common/wire/index.js';
import {
  canSpawnSession,
  openPipes,
  sealInheritedDescriptors,
  spawnSession,
  type PipeEnds,
} from '../../../shared/node/system/index.js';
import { endGroup, signalGroup } from './group.js';
import type { PreparedCommand, SpawnedCommand } from './types.js';

export interface RawSpawnOptions {
  /** Descriptors or words for 0, 1 and 2; never more. */
  readonly stdio: StdioOptions;
}

/** A running program that leads a process group of its own. */
interface Leader {
  readonly pid: number;
  readonly exited: Promise<ExitStatus>;
  /** Ends the whole group; resolves when its leader has ended. */
  end(): Promise<void>;
}

/** A child of Node, for those who need more of it than its pipes. */
export interface SpawnedProcess extends Leader {
  readonly child: ChildProcess;
}

/**
 * All children with pipes of one agent. Each leads a session and process group of its own and is ended,
 * group and all, when the registry closes. Main thread only: every child is started there.
 */
export class ProcessRegistry implements Closable {
  readonly #running = new Set<Leader>();
  #closing = false;

  /** How many children run now. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * Starts `command` with three pipes.
   * @throws {HoldfastError} ERR_SPAWN when the system refuses, ERR_CLOSED once closing.
   */
  async spawnCommand(command: PreparedCommand): Promise<SpawnedCommand> {
    const { leader, streams } = await this.#spawnWithPipes(command);
    for (const stream of [streams.stdin, streams.stdout, streams.stderr]) {
      // EPIPE and the like: the session learns of the end from `exited` and 'close'.
      stream.on('error', () => undefined);
    }
    let exited = false;
    void leader.exited.then(() => {
      exited = true;
    });
    return {
      pid: leader.pid,
      ...streams,
      exited: leader.exited,
      signal: (signal) => {
        if (!exited) signalGroup(leader.pid, signal);
      },
      end: async () => {
        await leader.end();
        streams.stdin.destroy();
        streams.stdout.destroy();
        streams.stderr.destroy();
      },
    };
  }

  async #spawnWithPipes(
    command: PreparedCommand,
  ): Promise<{ readonly leader: Leader; readonly streams: Streams }> {
    const pipes = canSpawnSession ? (openPipes(3) as Pipes | undefined) : undefined;
    if (pipes === undefined) {
      const process = await this.spawnProcess(command, { stdio: ['pipe', 'pipe', 'pipe'] });
      return { leader: process, streams: ownStreams(process.child) };
    }
    try {
      const leader = await this.#spawnLeader(command, pipes);
      return { leader, streams: parentStreams(pipes) };
    } catch (error) {
      for (const pipe of pipes) closePipe(pipe);
      throw error;
    }
  }

  /** Not by Node, whose way of it stops this thread for longer the more memory the agent has. */
  async #spawnLeader(command: PreparedCommand, [stdin, stdout, stderr]: Pipes): Promise<Leader> {
    if (this.#isClosing()) throw new HoldfastError('ERR_CLOSED', 'the agent is closing');
    sealInheritedDescriptors();
    const stdio = [stdin.readFd, stdout.writeFd, stderr.writeFd] as const;
    const spawned = await spawnSession(() => ({ ...command, stdio })).catch((error: unknown) => {
      throw wrapError(error, 'ERR_SPAWN', `start ${command.file}`);
    });
    return await this.#unlessClosing(this.#track(spawned));
  }

  #track<T extends Pick<Leader, 'pid' | 'exited'>>(started: T): T & Leader {
    const { pid, exited } = started;
    const leader = { ...started, end: once(() => endGroup(pid, exited)) };
    this.#running.add(leader);
    void exited.then(() => this.#running.delete(leader));
    return leader;
  }

  /** Starts `command` on given descriptors. @throws {HoldfastError} as {@link spawnCommand}. */
  async spawnProcess(
    command: PreparedCommand,
    { stdio }: RawSpawnOptions,
  ): Promise<SpawnedProcess> {
    if (this.#isClosing()) throw new HoldfastError('ERR_CLOSED', 'the agent is closing');
    sealInheritedDescriptors();
    const child = startChild(command, stdio);
    const exited = new Promise<ExitStatus>((resolve) => {
      child.once('exit', (status, signal) => {
        resolve(exitStatus(status, signal));
      });
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => {
        reject(wrapError(error, 'ERR_SPAWN', `start ${command.file}`));
      });
    });
    // Later errors are failed signals, which matter to nobody.
    child.on('error', () => undefined);
    return await this.#unlessClosing(this.#track({ child, pid: child.pid as number, exited }));
  }

  /** `close` may have begun while the child was starting, and does not know of it. */
  async #unlessClosing<T extends Leader>(leader: T): Promise<T> {
    if (!this.#isClosing()) return leader;
    await leader.end();
    throw new HoldfastError('ERR_CLOSED', 'the agent is closing');
  }

  readonly close = once(async () => {
    this.#closing = true;
    await Promise.all([...this.#running].map((process) => process.end()));
  });

  /** A call, since the compiler takes a field for unchanged across an `await`. */
  #isClosing(): boolean {
    return this.#closing;
  }
}

type Pipes = [PipeEnds, PipeEnds, PipeEnds];

interface Streams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

function startChild(command: PreparedCommand, stdio: StdioOptions): ChildProcess {
  try {
    return spawn(command.file, [...command.args], {
      cwd: command.cwd,
      env: { ...command.env },
      stdio,
      // A session and group of its own, so that everything the command starts can be signalled at once.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
  } catch (error) {
    throw wrapError(error, 'ERR_SPAWN', `start ${command.file}`);
  }
}

/** Closes the child's ends, so that its exit ends the pipes, and wraps ours. */
function parentStreams([stdin, stdout, stderr]: Pipes): Streams {
  closeSync(stdin.readFd);
  closeSync(stdout.writeFd);
  closeSync(stderr.writeFd);
  const reader = (fd: number): Readable => new Socket({ fd, readable: true, writable: false });
  return {
    stdin: new Socket({ fd: stdin.writeFd, readable: false, writable: true }),
    stdout: reader(stdout.readFd),
    stderr: reader(stderr.readFd),
  };
}

function ownStreams({ stdin, stdout, stderr }: ChildProcess): Streams {
  if (stdin === null || stdout === null || stderr === null) {
    throw new HoldfastError('ERR_INTERNAL', 'a child was started without pipes');
  }
  return { stdin, stdout, stderr };
}

function closePipe({ readFd, writeFd }: PipeEnds): void {
  closeSync(readFd);
  closeSync(writeFd);
}

function exitStatus(status: number | null, signal: NodeJS.Signals | null): ExitStatus {
  if (signal !== null) return { kind: 'signal', signal };
  return status === null ? { kind: 'unknown' } : { kind: 'status', status };
}
