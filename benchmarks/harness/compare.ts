import type { Goal } from './goals.js';
import { pairRatios } from './statistics.js';
import type { Figure, Ratio, Row } from './types.js';

/** The heading of a figure: its name and unit. */
export function figureTitle({ name, unit }: Pick<Figure, 'name' | 'unit'>): string {
  return [name, unit].filter((part) => part !== '').join(' ');
}

/** Which way a quantity of this unit is good: rates up, times and costs down. */
export function betterOf(unit: string): 'higher' | 'lower' {
  return unit.endsWith('/s') || unit === 'Jain' ? 'higher' : 'lower';
}

export interface Comparison {
  readonly group: string;
  /** Title of the figure. Absent: the first of the row. */
  readonly figure?: string;
  readonly ours: string;
  readonly base: string;
  readonly goal?: Goal | undefined;
  readonly against: Ratio['against'];
  /** Where the base stands, if it is another group. */
  readonly baseGroup?: string;
}

/** The ratio of a figure of two rows, run by run. Empty where one of them was skipped or lacks it. */
export function compare(rows: readonly Row[], comparison: Comparison): Ratio[] {
  const { group, figure, ours, base, goal, against, baseGroup = group } = comparison;
  const find = (where: string, subject: string): Figure | undefined =>
    rows
      .find((row) => row.group === where && row.subject === subject)
      ?.figures.find((each, index) =>
        figure === undefined ? index === 0 : figureTitle(each) === figure,
      );
  const [above, below] = [find(group, ours), find(baseGroup, base)];
  if (above === undefined || below === undefined) return [];
  const samples = pairRatios(above.samples, below.samples).filter(Number.isFinite);
  if (samples.length === 0) return [];
  const other = baseGroup === group ? base : `${base} (${baseGroup})`;
  const prefix = figure === undefined ? '' : `${figure}: `;
  return [
    {
      group,
      name: `${prefix}${ours} / ${other}`,
      samples,
      better: betterOf(above.unit),
      against,
      goal,
    },
  ];
}
