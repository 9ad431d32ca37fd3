import {
  alternate,
  atScale,
  compare,
  drawSeed,
  Program,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Row,
  type Subject,
} from '../harness/index.js';
import type { SlowLinkMethods, SlowLinkResult } from '../programs/slow-link-child.js';
import { startDropbear, startOpenSsh, startSshAgent, type SshTarget } from '../servers/index.js';

const SPEED = 100_000;
const TERMINAL = 'holdfast terminal';
const SSH = 'holdfast ssh';
const OPENSSH = 'openssh';
const DROPBEAR = 'dropbear';
const GROUP = 'link of 100 KB/s';
/** Others may take a minute for one. */
const MOST_RUNS = 3;

/** How long Ctrl-C takes to be seen where the link is slower than the flood. */
export const slowLink: BenchCase = {
  name: 'slow-link',
  summary:
    'W8: Ctrl-C to the prompt on a link of 100 KB/s that a flood has filled; openssh, dropbear',
  minutes: 4,
  run: runSlowLink,
};

async function runSlowLink(context: CaseContext): Promise<CaseResult> {
  const floodMs = atScale(context, { tiny: 300, normal: 4_000 });
  const runs = Math.min(MOST_RUNS, context.runs);
  const flood = () => ({ bytesPerSecond: SPEED, floodMs, seed: drawSeed(context.random) });
  const subjects: Subject<SlowLinkResult>[] = [];
  const rows: Row[] = [];
  const add = (
    name: string,
    run: (program: Program<SlowLinkMethods>) => Promise<SlowLinkResult>,
  ): void => {
    const program = new Program<SlowLinkMethods>(
      new URL('../programs/slow-link-child.js', import.meta.url),
    );
    context.defer(() => program.stop());
    subjects.push({ name, measure: () => run(program) });
  };
  const skip = (subject: string, skipped: string): void => {
    rows.push({ group: GROUP, subject, figures: [], skipped });
  };
  const bySsh =
    ({ port, keyFile, user }: SshTarget) =>
    (program: Program<SlowLinkMethods>) =>
      program.call('ssh', { ...flood(), server: { kind: 'ssh-library', port, keyFile, user } });
  add(TERMINAL, (program) => program.call('terminal', flood()));
  add(SSH, bySsh((await startSshAgent(context, { terminals: 'workers' })).target));
  const openssh = await startOpenSsh(context.scratch);
  if (typeof openssh === 'string') {
    skip(OPENSSH, openssh);
  } else {
    context.defer(() => openssh.stop());
    add(OPENSSH, bySsh(openssh));
  }
  const dropbear = await startDropbear(context.scratch);
  if (typeof dropbear === 'string') {
    skip(DROPBEAR, dropbear);
  } else {
    context.defer(() => dropbear.stop());
    add(DROPBEAR, bySsh(dropbear));
  }
  const results = await alternate(subjects, { ...context, runs }, 'slow-link');
  for (const [subject, measured] of results) {
    const figure = (name: string, unit: string, read: (result: SlowLinkResult) => number) => ({
      name,
      unit,
      samples: measured.map(read),
    });
    rows.push({
      group: GROUP,
      subject,
      figures: [
        {
          ...figure('Ctrl-C to the prompt', 'ms', ({ ms }) => ms),
          goal: subject === TERMINAL ? { max: 1_000 } : undefined,
        },
        figure('output in between', 'KB', ({ bytes }) => bytes / 1e3),
      ],
    });
  }
  return {
    settings: { 'bytes per second': SPEED, 'ms of flood': floodMs, runs },
    rows,
    ratios: [TERMINAL, SSH].flatMap((ours) =>
      [OPENSSH, DROPBEAR].flatMap((base) =>
        compare(rows, { group: GROUP, ours, base, against: 'others' }),
      ),
    ),
    notes: [
      'the link holds 16 KiB by itself; what else waits is in the queues of kernels and servers, and all of it comes before the prompt',
      'a terminal skips what nobody has seen yet and says so; SSH has no way to, whoever serves it',
      'Eternal Terminal publishes 2.7 s with back-pressure and 115.8 without, for a producer of 2.7 MB/s',
    ],
  };
}
