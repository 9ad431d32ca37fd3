import type { Writable } from 'node:stream';
import winston from 'winston';
import {
  createLogger,
  limits,
  LOG_LEVELS,
  once,
  type Closable,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogRecord,
} from '../../common/index.js';
import { printable, printableJson, sanitizeFields, sanitizeText } from './sanitize.js';

export interface ProcessLogOptions {
  /** Least weighty level that is written. Default `info`. */
  readonly level?: LogLevel;
  /** `json` is one object per line. Default: `human` where the stream is a terminal, else `json`. */
  readonly format?: 'json' | 'human';
  /** Where to write; not closed by the log. Default: standard error. */
  readonly stream?: Writable & { readonly isTTY?: boolean };
  /** Fields of every record, such as the name of the process. */
  readonly fields?: LogFields;
}

/** The log of a process: a {@link Logger} whose records reach a stream through winston. */
export interface ProcessLog extends Logger, Closable {
  /** Whether records of `level` are written, for callers that would have to build fields first. */
  enabled(level: LogLevel): boolean;
  /** Writes a record that came from a worker. */
  write(record: LogRecord): void;
  /** Resolves when what was logged so far has left the process, or the stream has failed. */
  flush(): Promise<void>;
}

/**
 * Opens the log of this process. A disabled level costs one call of an empty function. Records that a
 * reader does not take are dropped beyond LOG_PENDING_BYTES, and their number is logged once it reads
 * again: a stuck log never holds up the process or fills its memory.
 */
export function openProcessLog(options: ProcessLogOptions = {}): ProcessLog {
  const { level = 'info', stream = process.stderr, fields = {} } = options;
  const human = (options.format ?? (stream.isTTY === true ? 'human' : 'json')) === 'human';
  const line = human ? humanLine : jsonLine;
  const transport = new winston.transports.Stream({ stream, eol: '\n' });
  const inner = winston.createLogger({
    levels: Object.fromEntries(LOG_LEVELS.map((name, weight) => [name, weight])),
    level,
    format: winston.format.printf((info) => line(info as unknown as LogRecord)),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- its own type says less than it is
    transports: [transport],
  });
  // A stream that is gone (EPIPE) must not end the process; there is nobody left to tell.
  const ignore = (): void => undefined;
  stream.on('error', ignore);
  inner.on('error', ignore);

  let dropped = 0;
  let closed = false;
  const threshold = LOG_LEVELS.indexOf(level);
  const enabled = (name: LogLevel): boolean => LOG_LEVELS.indexOf(name) <= threshold;
  const emit = ({ level: name, message, fields: extra }: LogRecord): void => {
    inner.write({ level: name, message, fields: extra });
  };
  const write = (record: LogRecord): void => {
    if (closed || !enabled(record.level)) return;
    if (stream.writableLength > limits.LOG_PENDING_BYTES) {
      dropped += 1;
      return;
    }
    if (dropped > 0) {
      const lost = dropped;
      dropped = 0;
      emit({ level: 'warn', message: 'log records dropped', fields: { ...fields, records: lost } });
    }
    emit(record);
  };
  const flush = (): Promise<void> =>
    new Promise((resolve) => {
      // winston starts to flow one turn after the first record.
      setImmediate(() => {
        if (stream.destroyed || stream.writableEnded) resolve();
        else {
          stream.once('close', resolve);
          stream.write('', () => {
            stream.off('close', resolve);
            resolve();
          });
        }
      });
    });
  const logger = withoutDisabled(createLogger(write, fields), enabled);
  return {
    ...logger,
    enabled,
    write,
    flush,
    close: once(async () => {
      await flush();
      closed = true;
      inner.close();
      // The stream belongs to the caller; only our listener goes. Late EPIPEs of stderr stay harmless.
      if (stream !== process.stderr) stream.off('error', ignore);
    }),
  };
}

/** Exchanges the methods of disabled levels, of children too, for one that does nothing. */
function withoutDisabled(logger: Logger, enabled: (level: LogLevel) => boolean): Logger {
  const nothing = (): void => undefined;
  const only = (name: LogLevel): Logger[LogLevel] =>
    enabled(name)
      ? (message, fields) => {
          logger[name](message, fields);
        }
      : nothing;
  return {
    error: only('error'),
    warn: only('warn'),
    info: only('info'),
    debug: only('debug'),
    child: (fields) => withoutDisabled(logger.child(fields), enabled),
  };
}

function jsonLine({ level, message, fields }: LogRecord): string {
  return printableJson({
    time: new Date().toISOString(),
    level,
    message: sanitizeText(message),
    ...without(sanitizeFields(fields), ['time', 'level', 'message']),
  });
}

function humanLine({ level, message, fields }: LogRecord): string {
  const parts = [new Date().toISOString().slice(11, 23), level.padEnd(5), sanitizeText(message)];
  for (const [key, value] of Object.entries(sanitizeFields(fields))) {
    const text =
      typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : printableJson(value);
    parts.push(`${key}=${text}`);
  }
  return printable(parts.join(' '));
}

/** Renames fields that would overwrite the fixed three, so that no peer's field can pass for one. */
function without(
  fields: Record<string, unknown>,
  reserved: readonly string[],
): Record<string, unknown> {
  const result = Object.create(null) as Record<string, unknown>;
  for (const [key, value] of Object.entries(fields))
    result[reserved.includes(key) ? `field_${key}` : key] = value;
  return result;
}
