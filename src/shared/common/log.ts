/** Levels in falling order of weight. `warn` means that somebody may want to act. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What varies in a record. Never terminal bytes, tokens, tickets or environment values. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * The logger that code is written against; winston stands behind it at the edge of each process.
 * A message is a short constant sentence in lower case; everything variable is a field.
 */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each of its records. */
  child(fields: LogFields): Logger;
}

/** One record as it crosses a thread. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/**
 * A logger over one function. Errors among the fields become their code and message, since an Error
 * does not survive a port or JSON.
 */
export function createLogger(sink: (record: LogRecord) => void, base: LogFields = {}): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      sink({ level, message, fields: plainFields({ ...base, ...fields }) });
    };
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    child: (fields) => createLogger(sink, { ...base, ...fields }),
  };
}

/** A logger that drops everything. */
export const silentLogger: Logger = createLogger(() => undefined);

function plainFields(fields: LogFields): LogFields {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value instanceof Error) {
      plain[key] = 'code' in value ? `${String(value.code)}: ${value.message}` : value.message;
    } else if (typeof value === 'bigint') {
      plain[key] = Number(value);
    } else {
      plain[key] = value;
    }
  }
  return plain;
}
