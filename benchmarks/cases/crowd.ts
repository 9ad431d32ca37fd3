import {
  atScale,
  drawSeed,
  Program,
  quantile,
  type BenchCase,
  type CaseContext,
  type CaseResult,
} from '../harness/index.js';
import type { CrowdMethods } from '../programs/crowd-child.js';
import type { CrowdRun } from '../../test/support/crowd-run.js';

const CUT_EVERY_MS = 3_000;
const GROUP = 'lines at viewers that are cut off again and again';

/** What `npm run proof:crowd` proves, with figures. */
export const crowd: BenchCase = {
  name: 'crowd',
  summary:
    'W10: 1000 viewers of 20 terminals, a tenth of the connections cut every 3 s: lines missed and doubled, time to catch up',
  minutes: 4,
  run: runCrowd,
};

async function runCrowd(context: CaseContext): Promise<CaseResult> {
  const { terminals, connections, seconds } = atScale(context, {
    tiny: { terminals: 2, connections: 5, seconds: 4 },
    normal: { terminals: 20, connections: 50, seconds: 20 },
  });
  const runs: CrowdRun[] = [];
  for (let run = 1; run <= context.runs; run += 1) {
    context.progress.show(`crowd · run ${String(run)}/${String(context.runs)}`);
    // A process for each: viewers and agent are in it, and nothing of one run is left in the next.
    const program = new Program<CrowdMethods>(
      new URL('../programs/crowd-child.js', import.meta.url),
    );
    context.defer(() => program.stop());
    runs.push(
      await program.call('run', {
        ...{ terminals, connections, seconds, cutEveryMs: CUT_EVERY_MS },
        seed: drawSeed(context.random),
      }),
    );
    await program.stop();
  }
  const figure = (name: string, unit: string, read: (run: CrowdRun) => number) => ({
    name,
    unit,
    samples: runs.map(read),
  });
  return {
    settings: { viewers: terminals * connections, terminals, seconds, runs: context.runs },
    rows: [
      {
        group: GROUP,
        subject: 'holdfast',
        figures: [
          figure('catch-up p50', 'ms', ({ catchUpMs }) => quantile(catchUpMs, 0.5)),
          figure('catch-up p95', 'ms', ({ catchUpMs }) => quantile(catchUpMs, 0.95)),
          figure('catch-up max', 'ms', ({ catchUpMs }) => quantile(catchUpMs, 1)),
          { ...figure('lines missed', '', ({ missing }) => missing), goal: { max: 0 } },
          { ...figure('lines doubled', '', ({ duplicates }) => duplicates), goal: { max: 0 } },
          figure('gaps stated', '', ({ statedGaps }) => statedGaps),
          figure('drops', '', ({ drops }) => drops),
          figure('lines read', '', ({ lines }) => lines),
        ],
      },
    ],
    ratios: [],
    notes: [
      'the agent and all viewers are in one process, so catching up includes the viewers’ own work',
      'catch-up: from a cut until the viewer has what the others had when it was back',
      'nobody else cuts connections in a way that can be compared: the other programs have one connection for a viewer’s life',
    ],
  };
}
