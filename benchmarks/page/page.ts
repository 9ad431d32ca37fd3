import {
  formatGoal,
  formatSummary,
  formatVerdict,
  goalsOf,
  lossesOf,
  type GoalFinding,
  type Loss,
  type Report,
} from '../harness/index.js';
import { caseSection } from './case-section.js';
import { html, Html } from './html.js';
import { mergeReports, type Source } from './merge.js';
import { attainments, goalStrip } from './plots.js';
import { STYLE } from './style.js';

/** The strips of goals show from a tenth of a goal to ten times it at most. */
const MOST_REACH = 10;
const LEAST_REACH = 1.5;

/** The whole page. @throws {RangeError} for no results. */
export function page(sources: readonly Source[]): string {
  const [first] = sources;
  if (first === undefined) throw new RangeError('a page needs results');
  const merged = mergeReports(sources);
  const used = sources.filter((each) => merged.some(({ source }) => source === each));
  const cases = merged.map(({ last }) => last);
  const goals = goalsOf(cases);
  const losses = lossesOf(cases);
  const failed = cases.filter((each) => each.failed !== undefined);
  const met = goals.filter(({ verdict }) => verdict.met).length;
  const content = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Holdfast benchmarks</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <h1>Holdfast benchmarks</h1>
        ${used.map(({ report }) => machineLine(report))}
        ${warnings(used.map(({ report }) => report))}
        <div class="tiles">
          ${tile(`${String(met)} of ${String(goals.length)}`, 'goals met')}
          ${tile(String(losses.length), 'comparisons where another program is better')}
          ${tile(String(cases.length), 'cases')}
          ${failed.length === 0 ? undefined : tile(String(failed.length), 'cases failed', 'bad')}
        </div>
        <nav>${cases.map(({ name }) => html`<a href="#${name}">${name}</a>`)}</nav>
        ${goalsSection(goals)} ${lossesSection(losses)}
        <section>
          <h2>How to read this</h2>
          <p class="soft">
            Every subject was measured several times, in turns with those beside it and in random
            order, after a warm-up that is not shown. Figures are medians with the least and the
            most; in plots each run is a dot, the line is the spread and the thick mark the median.
            <span style="color: var(--ours)">Holdfast</span> is in colour; paler are forms of it
            that are not shipped. Ratios are made run by run, ours above the line. Absolute figures
            are those of one machine; only what was measured in one run can be compared.
          </p>
        </section>
        ${merged.map(({ last, source }) =>
          caseSection(last, used.length === 1 ? undefined : source.name),
        )}
        <section class="case">
          <h2>Machine</h2>
          ${used.map(machineTable)}
        </section>
      </body>
    </html> `;
  return `${content.text.trim()}\n`;
}

function machineLine({ machine, startedAt, scale, runs }: Report): Html {
  return html`<p class="soft">
    ${startedAt.slice(0, 16).replace('T', ' ')} UTC, holdfast
    ${machine.holdfast}${machine.commit === undefined ? '' : ` (${machine.commit})`} on
    ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.distribution},
    ${machine.kernel}, Node ${machine.node}; ${scale} size, ${runs} runs
  </p>`;
}

function warnings(reports: readonly Report[]): Html[] {
  const warn = (text: string): Html => html`<p class="warning">${text}</p>`;
  const loads = reports
    .filter(({ machine }) => machine.load > machine.cores / 2)
    .map(({ machine }) => machine.load.toFixed(1));
  return [
    ...(reports.some(({ scale }) => scale === 'tiny' || scale === 'small')
      ? [
          warn(
            'Among these are tiny sizes, which only show that everything works. Their figures mean nothing.',
          ),
        ]
      : []),
    ...(loads.length > 0
      ? [
          warn(
            `The machine had other work: its load average at the start was ${loads.join(', ')} on ${String(reports[0]?.machine.cores ?? 0)} cores.`,
          ),
        ]
      : []),
  ];
}

function tile(figure: string, text: string, style = ''): Html {
  return html`<div class="tile"><b class="${style}">${figure}</b>${text}</div>`;
}

function goalsSection(goals: readonly GoalFinding[]): Html {
  const all = goals.flatMap(({ summary, goal }) =>
    attainments([summary.median, summary.min, summary.max], goal),
  );
  const most = Math.max(LEAST_REACH, ...all.map((each) => Math.max(each, 1 / each)));
  const reach = Math.min(MOST_REACH, most);
  return html`<section>
    <h2>Goals</h2>
    <p class="soft">
      The dot is the median, the line the spread; left of the dashed line the goal is missed.
    </p>
    ${goals.length === 0 ? html`<p>None was measured.</p>` : undefined}
    <ul class="goals">
      ${goals.map(
        ({ case: name, group, what, goal, verdict, summary }) =>
          html`<li>
            <span>
              ${what}
              <span class="where"><a href="#${name}">${name}</a>: ${group}</span>
            </span>
            <span class="strip">
              ${goalStrip([summary.median, summary.min, summary.max], goal, verdict.met, [
                1 / reach,
                reach,
              ])}
            </span>
            <span>
              ${formatSummary(summary)}
              <span class="where">goal ${formatGoal(goal)}</span>
            </span>
            <span class="chip ${verdict.met ? 'good' : 'bad'}">
              ${verdict.met ? '✓' : '✗'} ${formatVerdict(verdict)}
            </span>
          </li>`,
      )}
    </ul>
  </section>`;
}

function lossesSection(losses: readonly Loss[]): Html {
  return html`<section>
    <h2>Where Holdfast loses</h2>
    <p class="soft">
      Every comparison with another program or a bare loop in which the median is on the other’s
      side, the worst first.
    </p>
    ${losses.length === 0 ? html`<p>Nowhere, in what was measured.</p>` : undefined}
    <ul class="losses">
      ${losses.map(
        ({ case: name, ratio, summary, factor }) =>
          html`<li>
            <span class="chip bad">${factorText(factor)}</span>
            <span>
              ${ratio.name}
              <span class="where"><a href="#${name}">${name}</a>: ${ratio.group}</span>
            </span>
            <span>${formatSummary(summary)}</span>
          </li>`,
      )}
    </ul>
  </section>`;
}

function factorText(factor: number): string {
  if (factor >= 2) return `${factor.toFixed(factor >= 10 ? 0 : 1)} times worse`;
  return `${((factor - 1) * 100).toFixed(0)} % worse`;
}

function machineTable({ name, report }: Source): Html {
  const { machine, seed, startedAt } = report;
  const facts: [string, string][] = [
    ['results', name],
    ['started', startedAt],
    ['CPU', `${machine.cpu}, ${String(machine.cores)} cores`],
    ['memory', `${String(machine.memoryGiB)} GiB`],
    ['system', `${machine.distribution}, ${machine.kernel}`],
    ['node', machine.node],
    ['holdfast', `${machine.holdfast} ${machine.commit ?? ''}`],
    ['seed', String(seed)],
    ['load average at the start', machine.load.toFixed(1)],
    ...Object.entries(machine.tools),
  ];
  return html`<div class="scroll">
    <table>
      ${facts.map(
        ([key, value]) =>
          html`<tr>
            <td>${key}</td>
            <td class="reason">${value}</td>
          </tr>`,
      )}
    </table>
  </div>`;
}
