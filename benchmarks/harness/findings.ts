import { figureTitle } from './compare.js';
import { formatGoal, formatVerdict, judge, type Goal, type Verdict } from './goals.js';
import type { CaseReport } from './report.js';
import { summarize, type Summary } from './statistics.js';
import { formatSummary } from './table.js';
import type { Ratio } from './types.js';

/** A goal and how it went. */
export interface GoalFinding {
  readonly case: string;
  readonly group: string;
  /** What was measured: a ratio, or a figure of a subject. */
  readonly what: string;
  readonly goal: Goal;
  readonly verdict: Verdict;
  readonly summary: Summary;
}

/** A comparison with somebody else's program in which Holdfast comes off worse. */
export interface Loss {
  readonly case: string;
  readonly ratio: Ratio;
  readonly summary: Summary;
  /** How many times the other is better; above 1. */
  readonly factor: number;
}

/** All goals of some cases, in their order. */
export function goalsOf(cases: readonly CaseReport[]): GoalFinding[] {
  return cases.flatMap(({ name, rows, ratios }) => {
    const finding = (
      group: string,
      what: string,
      samples: readonly number[],
      goal: Goal | undefined,
    ): GoalFinding[] =>
      goal === undefined
        ? []
        : [
            {
              ...{ case: name, group, what, goal },
              verdict: judge(samples, goal),
              summary: summarize(samples),
            },
          ];
    return [
      ...ratios.flatMap((ratio) => finding(ratio.group, ratio.name, ratio.samples, ratio.goal)),
      ...rows.flatMap(({ group, subject, figures }) =>
        figures.flatMap((figure) =>
          finding(group, `${subject}: ${figureTitle(figure)}`, figure.samples, figure.goal),
        ),
      ),
    ];
  });
}

/** Where others are better, the worst first. */
export function lossesOf(cases: readonly CaseReport[]): Loss[] {
  return cases
    .flatMap(({ name, ratios }) =>
      ratios
        .filter(({ against }) => against === 'others')
        .map((ratio): Loss => {
          const summary = summarize(ratio.samples);
          const factor = ratio.better === 'higher' ? 1 / summary.median : summary.median;
          return { case: name, ratio, summary, factor };
        }),
    )
    .filter(({ factor }) => factor > 1)
    .sort((one, other) => other.factor - one.factor);
}

/** A table of all goals for a page of documentation; without any, a line that says so. */
export function goalsMarkdown(cases: readonly CaseReport[]): string {
  const rows = goalsOf(cases).map(({ case: name, group, what, goal, verdict, summary }) => [
    `\`${name}\``,
    `${group}: ${what}`,
    formatGoal(goal),
    formatSummary(summary),
    formatVerdict(verdict),
  ]);
  if (rows.length === 0) return 'No goal was measured.\n';
  const heads = ['case', 'measured', 'goal', 'median (spread)', 'result'];
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `${line(cells)}\n`).join('');
}
