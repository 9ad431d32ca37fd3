import { HoldfastError } from '../errors.js';
import { parseTerminalId, parseUuid, type TerminalId } from '../ids.js';
import { LABEL_BYTES, MAX_CELLS, MIN_CELLS } from '../limits.js';

/** Size of a terminal in character cells. Always within the limits; 0 never gets this far. */
export interface TerminalSize {
  readonly rows: number;
  readonly cols: number;
}

/** What the label of a `terminal` or `reconnecting-pty` channel says. */
export interface TerminalLabel extends TerminalSize {
  readonly id: TerminalId;
}

/** The protocols that the agent serves, as named in the `protocol` field of a data channel. */
export const PROTOCOLS = [
  'control',
  'ssh',
  'sftp',
  'terminal',
  'reconnecting-pty',
  'recording',
] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** Whether the agent serves a protocol of this name. */
export function isProtocol(name: string): name is Protocol {
  return (PROTOCOLS as readonly string[]).includes(name);
}

const DECIMAL = /^[0-9]{1,4}$/;

/**
 * Reads `<id>:<rows>:<columns>`: the label of the original protocol, height before width.
 * `reconnecting-pty` takes UUIDs only, as the original did; `terminal` takes names as well.
 * @throws {HoldfastError} ERR_CHANNEL_LABEL for anything else, also for sizes outside 1 to 1000.
 */
export function parseTerminalLabel(
  label: string,
  protocol: 'terminal' | 'reconnecting-pty',
): TerminalLabel {
  if (label.length > LABEL_BYTES) throw badLabel('longer than the limit');
  // From the right, since `urn:uuid:` spellings hold colons themselves.
  const colsAt = label.lastIndexOf(':');
  const rowsAt = label.lastIndexOf(':', colsAt - 1);
  if (rowsAt <= 0) throw badLabel('not of the form <id>:<rows>:<columns>');
  const idText = label.slice(0, rowsAt);
  if (protocol === 'reconnecting-pty' && parseUuid(idText) === undefined) {
    throw badLabel('the id is not a UUID');
  }
  return {
    id: parseTerminalId(idText),
    rows: parseCells(label.slice(rowsAt + 1, colsAt), 'rows'),
    cols: parseCells(label.slice(colsAt + 1), 'columns'),
  };
}

/** The label that {@link parseTerminalLabel} reads back. */
export function formatTerminalLabel({ id, rows, cols }: TerminalLabel): string {
  return `${id}:${String(rows)}:${String(cols)}`;
}

/** Whether both sides of `size` are whole numbers of cells within the limits. */
export function isTerminalSize(size: { rows: unknown; cols: unknown }): size is TerminalSize {
  return isCells(size.rows) && isCells(size.cols);
}

function isCells(value: unknown): value is number {
  return (
    Number.isInteger(value) && (value as number) >= MIN_CELLS && (value as number) <= MAX_CELLS
  );
}

function parseCells(text: string, what: string): number {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (!isCells(value)) {
    throw badLabel(`${what} must be ${String(MIN_CELLS)} to ${String(MAX_CELLS)}`);
  }
  return value;
}

function badLabel(why: string): HoldfastError {
  return new HoldfastError('ERR_CHANNEL_LABEL', `channel label refused: ${why}`);
}
