import { execFileSync } from 'node:child_process';
import { constants, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';

/** A program in a terminal that waits for its start, and says outside of the terminal when it is done. */
export interface HeldProgram {
  /** Runs it, in raw mode; afterwards it ends, or stays if it was asked to. */
  readonly command: readonly string[];
  /** Lets it go; resolves when it has been let go. */
  go(): Promise<void>;
  /** Resolves when the producer is done, which is before the last of it was read. */
  done(): Promise<void>;
  dispose(): Promise<void>;
}

let count = 0;

/** @param stays The terminal lives on when the producer is done. */
export async function holdProgram(
  scratch: string,
  producer: string,
  { stays }: { readonly stays: boolean },
): Promise<HeldProgram> {
  count += 1;
  const [start, end] = ['go', 'end'].map((name) => path.join(scratch, `${name}-${String(count)}`));
  execFileSync('mkfifo', [start!, end!]);
  // For both directions, so that opening waits for nobody and a program that has ended is no end of file.
  const ended = await open(end!, constants.O_RDWR);
  const script = [
    'stty raw -echo',
    `read -r _ <${start!}`,
    producer,
    `echo end >${end!}`,
    ...(stays ? ['exec cat'] : []),
  ].join('; ');
  return {
    command: ['/bin/sh', '-c', script],
    go: async () => {
      const starter = await open(start!, 'w');
      await starter.write('go\n');
      await starter.close();
    },
    done: async () => {
      await ended.read(Buffer.alloc(4));
    },
    dispose: async () => {
      await ended.close();
      rmSync(start!);
      rmSync(end!);
    },
  };
}
