import {
  atScale,
  Program,
  quantile,
  treeCpuSeconds,
  type BenchCase,
  type CaseContext,
  type CaseResult,
} from '../harness/index.js';
import type { AttachMethods } from '../programs/attach-child.js';
import { startBenchAgent } from '../servers/index.js';

const PROGRAM = new URL('../programs/attach-child.js', import.meta.url);
const RING_BYTES = 64 * 1024;

/** How long a viewer waits that comes back to a terminal with a full ring. */
export const reAttach: BenchCase = {
  name: 're-attach',
  summary: 'attach to a terminal whose 64 KiB ring is full, until the last byte of the replay',
  run: runReAttach,
};

async function runReAttach(context: CaseContext): Promise<CaseResult> {
  const attaches = atScale(context, { tiny: 10, small: 100, normal: 200 });
  const agent = await startBenchAgent(context, { terminals: 'workers' });
  const program = new Program<AttachMethods>(PROGRAM);
  context.defer(() => program.stop());
  await program.call('connect', { kind: 'local', socket: agent.socket });
  const id = await program.call('fill', { bytes: 4 * RING_BYTES });
  const ways = [
    { name: 'on an open connection', socket: undefined },
    { name: 'with a new connection', socket: agent.socket },
  ];
  const runs = new Map(
    ways.map(({ name }) => [name, { times: [] as number[][], cpu: [] as number[] }]),
  );
  for (let round = 0; round <= context.runs; round += 1) {
    for (const { name, socket } of ways) {
      context.progress.show(`re-attach · ${name} · run ${String(round)}`);
      const times: number[] = [];
      const cpuBefore = treeCpuSeconds([agent.program.pid]);
      for (let count = 0; count < attaches; count += 1) {
        const path = socket === undefined ? undefined : ({ kind: 'local', socket } as const);
        const params = path === undefined ? { id } : { id, path };
        const { replayedMs, replayBytes } = await program.call('reattach', params);
        // Some more than the ring: what leads to the first byte of it that a screen can begin at.
        if (replayBytes < RING_BYTES) {
          throw new Error(`the replay had ${String(replayBytes)} bytes`);
        }
        times.push(replayedMs);
      }
      if (round === 0) continue;
      runs.get(name)?.times.push(times);
      const cpu = treeCpuSeconds([agent.program.pid]) - cpuBefore;
      runs.get(name)?.cpu.push((cpu * 1e3) / attaches);
    }
  }
  return {
    settings: { attaches, 'replay bytes': RING_BYTES, runs: context.runs },
    rows: ways.map(({ name, socket }) => {
      const { times, cpu } = runs.get(name) ?? { times: [], cpu: [] };
      const percentile = (q: number): number[] => times.map((run) => quantile(run, q));
      return {
        group: 'local socket',
        subject: name,
        figures: [
          {
            name: 'p50',
            unit: 'ms',
            samples: percentile(0.5),
            goal: socket === undefined ? { max: 1 } : undefined,
          },
          { name: 'p95', unit: 'ms', samples: percentile(0.95) },
          { name: 'p99', unit: 'ms', samples: percentile(0.99) },
          { name: 'agent CPU', unit: 'ms each', samples: cpu },
        ],
      };
    }),
    ratios: [],
    notes: [],
  };
}
