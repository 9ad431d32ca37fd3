import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { formatNumber, summarize, type Goal } from '../harness/index.js';
import { Html } from './html.js';

/** One line of a plot. */
export interface PlotLine {
  readonly label: string;
  readonly samples: readonly number[];
  /** `form`: of ours as well, but not what is shipped. */
  readonly side: 'ours' | 'form' | 'others';
}

/** Of a narrow phone; wider screens put several beside each other. */
const WIDTH = 340;
const LINE_HEIGHT = 36;
const STRIP = { width: 150, height: 22 };
/** From here on a scale from zero would squeeze the small ones together. */
const LOG_FROM = 40;
const COLOURS = { ours: 'var(--ours)', form: 'var(--form)', others: 'var(--others)' } as const;

/** What we need of what it makes; the package's own types are those of browsers. */
interface Drawing {
  readonly outerHTML: string;
  removeAttribute(name: string): void;
}

const plot = Plot.plot as unknown as (
  options: Omit<Plot.PlotOptions, 'document'> & { readonly document: unknown },
) => Drawing;
const { document } = parseHTML('<html></html>') as { readonly document: unknown };

/** The runs of some subjects as dots, their spread as a line and their median as a bar and a number. */
export function runsPlot(title: string, lines: readonly PlotLine[]): Html {
  const shown = lines.map((line, index) => ({
    ...line,
    ...summarize(line.samples),
    // Two subjects may have one name.
    key: `#${String(index)}`,
    colour: COLOURS[line.side],
  }));
  const all = lines.flatMap(({ samples }) => samples);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const isLog = low > 0 && high / low > LOG_FROM;
  const dots = shown.flatMap(({ key, samples, colour }) =>
    samples.map((sample) => ({ key, sample, colour })),
  );
  const text = { y: 'key', dy: -13, fill: 'currentColor' } as const;
  return draw({
    width: WIDTH,
    height: 44 + LINE_HEIGHT * shown.length,
    margin: 4,
    marginTop: 12,
    marginBottom: 32,
    marginRight: 10,
    x: {
      label: `${title}${isLog ? ' (log)' : ''}`,
      ...(isLog
        ? { type: 'log', domain: [low / 1.2, high * 1.2], ticks: 4 }
        : { domain: [0, high === 0 ? 1 : high], ticks: 5 }),
      grid: true,
    },
    y: { domain: shown.map(({ key }) => key), axis: null, padding: 0.62 },
    color: { type: 'identity' },
    marks: [
      ...(isLog
        ? []
        : [Plot.barX(shown, { x: 'median', y: 'key', fill: 'colour', fillOpacity: 0.25 })]),
      Plot.ruleY(shown, { x1: 'min', x2: 'max', y: 'key', stroke: 'colour', strokeWidth: 2 }),
      Plot.dot(dots, { x: 'sample', y: 'key', fill: 'colour', r: 2.5, fillOpacity: 0.6 }),
      Plot.tickX(shown, { x: 'median', y: 'key', stroke: 'colour', strokeWidth: 3 }),
      Plot.text(shown, { ...text, text: 'label', frameAnchor: 'left', textAnchor: 'start' }),
      Plot.text(shown, {
        ...text,
        text: ({ median }: { readonly median: number }) => formatNumber(median),
        frameAnchor: 'right',
        textAnchor: 'end',
        fontWeight: 600,
      }),
    ],
  });
}

/**
 * How near runs came to their goal: 1 is the goal, and to the right of it is better. `reach` is the least and the
 * most of that scale.
 */
export function goalStrip(
  samples: readonly number[],
  goal: Goal,
  met: boolean,
  reach: readonly [number, number],
): Html {
  const clamped = attainments(samples, goal).map((each) =>
    Math.min(reach[1], Math.max(reach[0], each)),
  );
  const { median, min, max } = summarize(clamped);
  const colour = met ? 'var(--met)' : 'var(--missed)';
  return draw({
    ...STRIP,
    margin: 3,
    marginLeft: 6,
    marginRight: 6,
    x: { type: 'log', domain: [...reach], axis: null },
    y: { axis: null },
    marks: [
      Plot.ruleY([0], { stroke: 'currentColor', strokeOpacity: 0.15 }),
      Plot.ruleX([1], { stroke: 'currentColor', strokeOpacity: 0.5, strokeDasharray: '2,2' }),
      Plot.ruleY([0], { x1: min, x2: max, stroke: colour, strokeWidth: 2 }),
      Plot.dot([{}], { x: median, frameAnchor: 'middle', fill: colour, r: 5 }),
    ],
  });
}

/** By how many times a bound can be met or missed: one of 0 has no ratio. */
const FAR = 1e3;

/** By how many times each sample is better than its goal asks; below 1 it misses it. Of two bounds, the nearer. */
export function attainments(samples: readonly number[], { min, max }: Goal): number[] {
  return samples.map((sample) =>
    Math.min(
      min === undefined ? FAR : times(sample, min),
      max === undefined ? FAR : times(max, sample),
    ),
  );
}

function times(more: number, less: number): number {
  if (less <= 0) return more >= less ? FAR : 1 / FAR;
  return Math.min(FAR, Math.max(1 / FAR, more / less));
}

function draw(options: Omit<Plot.PlotOptions, 'document'>): Html {
  const drawing = plot({ ...options, document });
  // A page scales it to the room that there is.
  drawing.removeAttribute('width');
  drawing.removeAttribute('height');
  return new Html(drawing.outerHTML);
}
