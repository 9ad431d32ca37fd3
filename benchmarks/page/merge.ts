import type { CaseReport, Report } from '../harness/index.js';

/** Results and the name of their file. */
export interface Source {
  readonly name: string;
  readonly report: Report;
}

/** The newest result of each case, in the order of the oldest that has it, and where each comes from. */
export function mergeReports(
  sources: readonly Source[],
): { readonly source: Source; readonly last: CaseReport }[] {
  const byName = new Map<string, { readonly source: Source; readonly last: CaseReport }>();
  const inTime = [...sources].sort((one, other) =>
    one.report.startedAt.localeCompare(other.report.startedAt),
  );
  for (const source of inTime) {
    for (const last of source.report.cases) byName.set(last.name, { source, last });
  }
  return [...byName.values()];
}
