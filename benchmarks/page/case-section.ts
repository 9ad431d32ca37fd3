import {
  columnsOf,
  figureTitle,
  formatGoal,
  formatNumber,
  formatSummary,
  formatVerdict,
  judge,
  rowsByGroup,
  summarize,
  type CaseReport,
  type Figure,
  type Goal,
  type Ratio,
  type Row,
} from '../harness/index.js';
import { html, type Html } from './html.js';
import { runsPlot, type PlotLine } from './plots.js';

/** All of one case: plots, tables, ratios, notes, and what it was run with. */
export function caseSection(last: CaseReport, source: string | undefined): Html {
  const settings = Object.entries(last.settings).map(([key, value]) => `${key} ${String(value)}`);
  const stolen =
    last.stolenPercent >= 1
      ? `; ${last.stolenPercent.toFixed(1)} % of the machine’s time was given to others meanwhile`
      : '';
  return html`<section class="case" id="${last.name}">
    <h2>${last.name}</h2>
    <p>${last.summary}</p>
    <p class="soft">
      ${settings.join(', ')}${settings.length > 0 ? '; ' : ''}took ${last.seconds.toFixed(0)}
      s${stolen}${source === undefined ? '' : `; from ${source}`}
    </p>
    ${
      last.failed === undefined
        ? undefined
        : html`<p class="warning"><b class="bad">Failed:</b> ${last.failed}</p>`
    }
    ${[...rowsByGroup(last.rows)].map(([group, rows]) => groupPart(last, group, rows))}
    ${
      last.notes.length === 0
        ? undefined
        : html`<ul class="soft">
            ${last.notes.map((note) => html`<li>${note}</li>`)}
          </ul>`
    }
  </section>`;
}

function groupPart(last: CaseReport, group: string, rows: readonly Row[]): Html {
  const plots = plotsOf(last, rows);
  const ratios = last.ratios.filter((ratio) => ratio.group === group);
  return html`<h3>${group}</h3>
    <div class="${plots.length === 0 ? '' : 'group'}">
      ${plots.length === 0 ? undefined : html`<div class="plots">${plots}</div>`}
      <div class="tables">
        ${figuresTable(rows)} ${ratios.length === 0 ? undefined : ratiosTable(ratios)}
      </div>
    </div>`;
}

function plotsOf({ plots, rows: all }: CaseReport, rows: readonly Row[]): Html[] {
  const first = all.find(({ figures }) => figures.length > 0)?.figures[0];
  const titles = plots ?? (first === undefined ? [] : [figureTitle(first)]);
  return titles.flatMap((title) => {
    const lines = rows.flatMap(({ subject, figures }): PlotLine[] =>
      figures
        .filter((figure) => figureTitle(figure) === title)
        .map(({ samples }) => ({ label: subject, samples, side: sideOf(subject) })),
    );
    // One line says no more than the table does.
    return lines.length < 2 ? [] : [html`<div>${runsPlot(title, lines)}</div>`];
  });
}

/** Ours have our name; those that nobody ships say that they are baselines. */
export function sideOf(subject: string): PlotLine['side'] {
  if (!/holdfast/i.test(subject)) return 'others';
  return subject.includes('baseline') ? 'form' : 'ours';
}

function figuresTable(rows: readonly Row[]): Html {
  const columns = columnsOf(rows);
  return html`<div class="scroll">
    <table>
      <tr>
        <th></th>
        ${columns.map((column) => html`<th>${column}</th>`)}
      </tr>
      ${rows.map(
        ({ subject, figures, skipped }) =>
          html`<tr class="${sideOf(subject) === 'ours' ? 'ours' : ''}">
            <td>${subject}</td>
            ${
              skipped !== undefined && figures.length === 0
                ? html`<td class="reason" colspan="${Math.max(1, columns.length)}">
                    skipped: ${skipped}
                  </td>`
                : columns.map((column) =>
                    figureCell(figures.find((each) => figureTitle(each) === column)),
                  )
            }
          </tr>`,
      )}
    </table>
  </div>`;
}

function figureCell(figure: Figure | undefined): Html {
  if (figure === undefined) return html`<td></td>`;
  const { median, min, max, count } = summarize(figure.samples);
  const spread =
    count === 1 ? undefined : html` <small>${formatNumber(min)}–${formatNumber(max)}</small>`;
  return html`<td>${formatNumber(median)}${spread}${goalMark(figure.samples, figure.goal)}</td>`;
}

function ratiosTable(ratios: readonly Ratio[]): Html {
  return html`<div class="scroll">
    <table>
      <tr>
        <th>ratio, run by run</th>
        <th>median (spread)</th>
        <th>goal</th>
        <th>good if</th>
      </tr>
      ${ratios.map(
        ({ name, samples, goal, better }) =>
          html`<tr>
            <td>${name}</td>
            <td>${formatSummary(summarize(samples))}</td>
            <td>${goal === undefined ? '' : formatGoal(goal)}${goalMark(samples, goal)}</td>
            <td class="soft">${better === 'higher' ? 'more' : 'less'}</td>
          </tr>`,
      )}
    </table>
  </div>`;
}

function goalMark(samples: readonly number[], goal: Goal | undefined): Html | undefined {
  if (goal === undefined) return undefined;
  const verdict = judge(samples, goal);
  return html` <span class="chip ${verdict.met ? 'good' : 'bad'}" title="goal ${formatGoal(goal)}"
    >${verdict.met ? '✓' : '✗'} ${formatVerdict(verdict)}</span
  >`;
}
