/** The tables of the suite as text. */
import type { ClientRow, ToolRow } from './run-suite.js';
import type { Cell, Check } from './types.js';

/** Rows of cells in columns that are as wide as needed. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function word(cell: Cell | undefined, notes: string[], name: string): string {
  if (cell === undefined) return '';
  switch (cell.type) {
    case 'ok':
      return 'ok';
    case 'red':
      notes.push(`${name}: ${cell.reason}`);
      return 'RED';
    case 'lacks':
    case 'missing': {
      const note = `${name.split(',')[0] ?? ''}: ${cell.reason}`;
      if (!notes.includes(note)) notes.push(note);
      return cell.type === 'lacks' ? '-' : 'skipped';
    }
  }
}

export function clientTable(
  rows: readonly ClientRow[],
  checks: readonly Check[],
  heads: Readonly<Record<string, string>>,
): string {
  const notes: string[] = [];
  const lines = rows.map(({ client, way, version, cells }) => [
    client,
    way,
    ...checks.map(({ name, title }) => word(cells[name], notes, `${client}, ${title}, ${way}`)),
    version,
  ]);
  const head = ['client', 'way', ...checks.map(({ name, title }) => heads[name] ?? title), ''];
  return [columns([head, ...lines]), ...notes.map((note) => `  ${note}`)].join('\n');
}

export function toolTable(rows: readonly ToolRow[]): string {
  const notes: string[] = [];
  const lines = rows.map(({ tool, way, cell }) => [
    tool,
    way,
    word(cell, notes, `${tool}, ${way}`),
    cell.type === 'ok' ? cell.note : '',
  ]);
  return [
    columns([['tool', 'way', 'result', ''], ...lines]),
    ...notes.map((note) => `  ${note}`),
  ].join('\n');
}
