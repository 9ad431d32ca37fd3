import { figureTitle } from './compare.js';
import { formatGoal, formatVerdict, judge } from './goals.js';
import { summarize, type Summary } from './statistics.js';
import type { CaseResult, Figure, Ratio, Row } from './types.js';

/** The tables and ratios of one case, as text for a terminal. */
export function formatCase(name: string, result: CaseResult): string {
  const settings = Object.entries(result.settings).map(([key, value]) => `${key} ${String(value)}`);
  const lines = [`${name}  (${settings.join(', ')})`];
  for (const [group, rows] of rowsByGroup(result.rows)) {
    lines.push('', `  ${group}`, ...formatRows(rows).map((line) => `    ${line}`));
    for (const { subject, figures } of rows) {
      for (const figure of figures) {
        const judged = formatJudged(figure);
        if (judged !== '') lines.push(`    ${subject}, ${figureTitle(figure)}: ${judged.trim()}`);
      }
    }
    for (const ratio of result.ratios) {
      if (ratio.group !== group) continue;
      lines.push(
        `    ${ratio.name}: ${formatSummary(summarize(ratio.samples))}${formatJudged(ratio)}`,
      );
    }
  }
  lines.push(...result.notes.flatMap((note) => ['', `  note: ${note}`]), '');
  return lines.join('\n');
}

/** The rows in the order of their groups' first appearance. */
export function rowsByGroup(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  return groups;
}

/** Titles of all figures of `rows`, in the order of their first appearance. */
export function columnsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap(({ figures }) => figures.map(figureTitle)))];
}

function formatJudged({ samples, goal }: Pick<Ratio | Figure, 'samples' | 'goal'>): string {
  if (goal === undefined) return '';
  return `   goal ${formatGoal(goal)}: ${formatVerdict(judge(samples, goal))}`;
}

function formatRows(rows: readonly Row[]): string[] {
  const columns = columnsOf(rows);
  const cells = rows.map(({ subject, figures, skipped }) => [
    subject,
    ...columns.map((column, index) => {
      const figure = figures.find((each) => figureTitle(each) === column);
      if (figure !== undefined) return formatSummary(summarize(figure.samples));
      return index === 0 && skipped !== undefined ? `skipped: ${skipped}` : '';
    }),
  ]);
  const heads = ['', ...(columns.length === 0 ? [''] : columns)];
  const table = [
    heads,
    ...cells.map((cell, index) =>
      // Nothing was measured at all: the reason needs a column to stand in.
      columns.length === 0 ? [...cell, `skipped: ${rows[index]?.skipped ?? ''}`] : cell,
    ),
  ];
  const widths = heads.map((_, column) =>
    Math.max(...table.map((row) => (row[column]!.startsWith('skipped') ? 0 : row[column]!.length))),
  );
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('   ')
      .trimEnd(),
  );
}

/** Median, and the spread where there is one. */
export function formatSummary({ median, min, max, count }: Summary): string {
  if (count === 1) return formatNumber(median);
  return `${formatNumber(median)} (${formatNumber(min)}–${formatNumber(max)})`;
}

/** Three figures that mean something, and no exponent. */
export function formatNumber(value: number): string {
  const magnitude = Math.abs(value);
  const digits = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
