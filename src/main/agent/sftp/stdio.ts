import { fstatSync } from 'node:fs';
import { Socket, type SocketConstructorOpts } from 'node:net';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { parseArgs } from 'node:util';

import {
  createLogger,
  LOG_LEVELS,
  silentLogger,
  type Logger,
  type LogLevel,
} from '../../../shared/common/index.js';
import { setSocketBuffers } from '../../../shared/node/system/index.js';
import { InPlaceFramer } from './in-place-framer.js';
import { serveStreams, type SftpInput } from './session.js';

/** What the kernel may hold of the output, so that a client never waits while the next files are read. */
const OUTPUT_BYTES = 1024 * 1024;

const USAGE = 'usage: sftp-server [-ehR] [-d start_directory] [-l log_level] [-f facility]\n';

/** OpenSSH's names of log levels, as the least weighty of ours that is still shown. */
const LEVELS: Readonly<Record<string, LogLevel | 'none'>> = {
  QUIET: 'none',
  FATAL: 'error',
  ERROR: 'error',
  INFO: 'info',
  VERBOSE: 'debug',
  DEBUG: 'debug',
  DEBUG1: 'debug',
  DEBUG2: 'debug',
  DEBUG3: 'debug',
};

/**
 * Serves one SFTP session on standard input and output, taking the flags of OpenSSH's sftp-server:
 * `-R` read-only, `-e` log to standard error, `-d` start folder, `-l` log level, `-h` help. `-f` (syslog
 * facility) is taken and has no effect. `argv`: what follows the command's name.
 *
 * Resolves to the exit status: 0 after a session, 1 for wrong flags, 255 after a malformed packet.
 */
export async function sftpServerMain(argv: readonly string[]): Promise<number> {
  let flags: ReturnType<typeof parseFlags>;
  try {
    flags = parseFlags(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 1;
  }
  if (flags.h === true) {
    process.stderr.write(USAGE);
    return 0;
  }
  const level = LEVELS[(flags.l ?? 'ERROR').toUpperCase()];
  if (level === undefined) {
    process.stderr.write(`Invalid log level "${flags.l ?? ''}"\n`);
    return 1;
  }
  const { input, output } = openStdio();
  // Only where there is much to send: it loads a native part.
  output.once('drain', () => {
    setSocketBuffers(1, { send: OUTPUT_BYTES });
  });
  try {
    await serveStreams(input, output, {
      cwd: flags.d === undefined ? process.cwd() : resolve(expandStart(flags.d)),
      readOnly: flags.R === true,
      ownProcess: true,
      logger: flags.e === true && level !== 'none' ? stderrLogger(level) : silentLogger,
    });
    return 0;
  } catch {
    // Logged where it happened.
    return 255;
  } finally {
    input.stream.destroy();
  }
}

function parseFlags(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    options: {
      R: { type: 'boolean', short: 'R' },
      e: { type: 'boolean', short: 'e' },
      h: { type: 'boolean', short: 'h' },
      d: { type: 'string', short: 'd' },
      l: { type: 'string', short: 'l' },
      f: { type: 'string', short: 'f' },
    },
  }).values;
}

/** `%d` is the home folder and `%u` the user's name, as for sftp-server; `%%` a percent sign. */
function expandStart(path: string): string {
  return path.replaceAll(/%[du%]/g, (mark) => {
    if (mark === '%d') return homedir();
    return mark === '%u' ? (process.env['USER'] ?? '') : '%';
  });
}

/**
 * Standard input and output as streams that never block the loop. Node's own `process.stdout` writes
 * synchronously to a pipe, and with one socket at both ends, as `sftp -D` gives, its blocking mode would
 * hold the reads as well.
 */
function openStdio(): { input: SftpInput; output: Writable } {
  const [inStats, outStats] = [fstatSync(0), fstatSync(1)];
  if (inStats.isSocket() && inStats.ino === outStats.ino && inStats.dev === outStats.dev) {
    const input = socketInPlace({ fd: 0, readable: true, writable: true, allowHalfOpen: true });
    return { input, output: input.stream };
  }
  const isStream = (stats: typeof inStats): boolean => stats.isSocket() || stats.isFIFO();
  return {
    input: isStream(inStats)
      ? socketInPlace({ fd: 0, readable: true, writable: false })
      : { stream: process.stdin },
    output: isStream(outStats)
      ? new Socket({ fd: 1, readable: false, writable: true })
      : process.stdout,
  };
}

/** Reads into the same memory again and again, and as much at once as the kernel has. */
function socketInPlace(options: SocketConstructorOpts): { stream: Socket } & SftpInput {
  const packets = new InPlaceFramer();
  let arrived: () => void = () => undefined;
  // `onread` is missing from the types of this constructor; `net.connect` documents it.
  const withMemory = {
    ...options,
    onread: {
      // Asked for before each read.
      buffer: () => packets.space(),
      callback: (length: number): boolean => {
        packets.added(length);
        arrived();
        return true;
      },
    },
  };
  const stream = new Socket(withMemory);
  return {
    stream,
    inPlace: {
      packets,
      arrived: (listener) => {
        arrived = listener;
      },
    },
  };
}

function stderrLogger(least: LogLevel): Logger {
  return createLogger((record) => {
    if (LOG_LEVELS.indexOf(record.level) > LOG_LEVELS.indexOf(least)) return;
    const fields = Object.entries(record.fields).map(([key, value]) => ` ${key}=${String(value)}`);
    process.stderr.write(`${record.level} ${record.message}${fields.join('')}\n`);
  });
}
