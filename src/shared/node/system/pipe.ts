import { closeSync } from 'node:fs';
import { HoldfastError } from '../../common/index.js';
import { lazily, libraryFunction } from './libc.js';

/** The two ends of an anonymous pipe, both close-on-exec. Whoever asked closes both. */
export interface PipeEnds {
  readonly readFd: number;
  readonly writeFd: number;
}

const O_CLOEXEC = 0o2000000;

const pipe2 = lazily(
  () =>
    libraryFunction('int pipe2(_Out_ int *, int)') as (ends: Int32Array, flags: number) => number,
);

/**
 * A real pipe. Node only has socket pairs for a child's streams, and on a socket `> /dev/stderr`, a line
 * in many install scripts, fails with ENXIO.
 * Absent: this platform has no pipe2(2); the caller falls back to what Node has.
 * @throws {HoldfastError} ERR_SPAWN when the process is out of descriptors.
 */
export function openPipe(): PipeEnds | undefined {
  if (process.platform !== 'linux') return undefined;
  const ends = new Int32Array(2);
  if (pipe2()(ends, O_CLOEXEC) !== 0) {
    throw new HoldfastError('ERR_SPAWN', 'cannot open a pipe: out of descriptors');
  }
  return { readFd: ends[0] as number, writeFd: ends[1] as number };
}

/** Opens `count` pipes, or none at all. Absent as for {@link openPipe}. */
export function openPipes(count: number): PipeEnds[] | undefined {
  const pipes: PipeEnds[] = [];
  try {
    for (let index = 0; index < count; index += 1) {
      const pipe = openPipe();
      if (pipe === undefined) return undefined;
      pipes.push(pipe);
    }
    return pipes;
  } catch (error) {
    for (const { readFd, writeFd } of pipes) {
      closeSync(readFd);
      closeSync(writeFd);
    }
    throw error;
  }
}
