import type { Machine } from './machine.js';
import { summarize, type Summary } from './statistics.js';
import type { CaseResult, Row } from './types.js';

/** What the JSON file of one invocation holds. */
export interface Report {
  readonly format: 1;
  readonly startedAt: string;
  readonly machine: Machine;
  readonly seed: number;
  readonly runs: number;
  readonly quick: boolean;
  readonly cases: readonly (CaseResult & { readonly name: string; readonly seconds: number })[];
}

/** The tables and ratios of one case, as text for a terminal. */
export function formatCase(name: string, result: CaseResult): string {
  const settings = Object.entries(result.settings).map(([key, value]) => `${key} ${String(value)}`);
  const lines = [`${name}  (${settings.join(', ')})`];
  const groups = new Map<string, Row[]>();
  for (const row of result.rows) {
    groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  }
  for (const [group, rows] of groups) {
    lines.push('', `  ${group}`, ...formatRows(rows).map((line) => `    ${line}`));
    for (const ratio of result.ratios) {
      if (ratio.group !== group) continue;
      const goal = ratio.goal === undefined ? '' : `   goal ${ratio.goal}`;
      lines.push(`    ${ratio.name}: ${formatSummary(summarize(ratio.samples))}${goal}`);
    }
  }
  lines.push(...result.notes.flatMap((note) => ['', `  note: ${note}`]), '');
  return lines.join('\n');
}

function formatRows(rows: readonly Row[]): string[] {
  const columns = [
    ...new Set(rows.flatMap(({ figures }) => figures.map(({ name, unit }) => title(name, unit)))),
  ];
  const cells = rows.map(({ subject, figures, skipped }) => [
    subject,
    ...columns.map((column, index) => {
      const figure = figures.find(({ name, unit }) => title(name, unit) === column);
      if (figure !== undefined) return formatSummary(summarize(figure.samples));
      return index === 0 && skipped !== undefined ? `skipped: ${skipped}` : '';
    }),
  ]);
  const table = [['', ...columns], ...cells];
  const widths = table[0]!.map((_, column) =>
    Math.max(...table.map((row) => (row[column]!.startsWith('skipped') ? 0 : row[column]!.length))),
  );
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('   ')
      .trimEnd(),
  );
}

function title(name: string, unit: string): string {
  return unit === '' ? name : `${name} ${unit}`;
}

function formatSummary({ median, min, max, count }: Summary): string {
  if (count === 1) return formatNumber(median);
  return `${formatNumber(median)} (${formatNumber(min)}–${formatNumber(max)})`;
}

/** Three figures that mean something, and no exponent. */
export function formatNumber(value: number): string {
  const magnitude = Math.abs(value);
  const digits = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
