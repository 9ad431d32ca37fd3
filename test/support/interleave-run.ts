/** A command that fills standard output and standard error at once, read in bursts of either stream. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { limits } from '../../src/shared/common/index.js';
import type { SeededRandom } from './random.js';
import type { SshHarness } from './ssh-harness.js';

/** Of each stream: more than the 2 MiB that a client's window has, so that both run dry. */
const STREAM_BYTES = 3 * limits.MIB;

/** What one run should give. */
interface Expected {
  readonly command: string;
  readonly out: string;
  readonly err: string;
}

/** Writes what the command prints into the folder of the harness, which is where commands start. */
export function prepareInterleave(harness: SshHarness): Expected {
  const [out, err] = [randomBytes(STREAM_BYTES), randomBytes(STREAM_BYTES)];
  writeFileSync(join(harness.dir, 'out'), out);
  writeFileSync(join(harness.dir, 'err'), err);
  const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  return { command: 'cat out & cat err >&2; wait', out: digest(out), err: digest(err) };
}

/** One run by ssh2's client. What is wrong, in a line; absent: nothing. */
export async function interleaveBySsh2(
  client: Client,
  expected: Expected,
  random: SeededRandom,
): Promise<string | undefined> {
  const channel = await openChannel(client, expected.command);
  const status = new Promise<number | null>((resolve) => channel.once('exit', resolve));
  return await judge([channel, channel.stderr], status, expected, random);
}

/** The same by OpenSSH's client, whose windows run dry when its own output is not read. */
export async function interleaveByOpenSsh(
  harness: SshHarness,
  expected: Expected,
  random: SeededRandom,
): Promise<string | undefined> {
  const child = harness.spawnSsh(['agent', expected.command]);
  child.stdin?.end();
  const status = once(child, 'exit').then(([code]) => code as number | null);
  const streams = [child.stdout as Readable, child.stderr as Readable] as const;
  return await judge(streams, status, expected, random);
}

function openChannel(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
}

async function judge(
  [stdout, stderr]: readonly [Readable, Readable],
  status: Promise<number | null>,
  expected: Expected,
  random: SeededRandom,
): Promise<string | undefined> {
  const digests = [digestOf(stdout), digestOf(stderr)];
  const stop = readInBursts([stdout, stderr], random);
  const [code, out, err] = await Promise.all([status, ...digests]);
  stop();
  if (code !== 0) return `status ${String(code)}`;
  if (out !== expected.out) return 'another standard output';
  if (err !== expected.err) return 'another standard error';
  return undefined;
}

function digestOf(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  stream.on('data', (chunk: Buffer) => hash.update(chunk));
  return new Promise((resolve) => {
    // ssh2's client closes the channel when stdout has been read, whatever waits in stderr.
    stream.once('close', () => {
      resolve(hash.digest('hex'));
    });
  });
}

/** Stops and goes of either stream, so that windows run dry in every order; then both go. */
function readInBursts(streams: readonly Readable[], random: SeededRandom): () => void {
  const turns = setInterval(
    () => {
      const stream = random.pick(streams);
      if (random.int(0, 1) === 0) stream.pause();
      else stream.resume();
    },
    random.int(1, 5),
  );
  const settle = setTimeout(
    () => {
      clearInterval(turns);
      for (const stream of streams) stream.resume();
    },
    random.int(40, 140),
  );
  return () => {
    clearInterval(turns);
    clearTimeout(settle);
  };
}
