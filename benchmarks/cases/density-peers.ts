import {
  atScale,
  ENGINES,
  missingEngine,
  Program,
  pssBytes,
  type CaseContext,
  type Row,
} from '../harness/index.js';
import type { AgentPath } from '../programs/agent-path.js';
import type { AttachMethods } from '../programs/attach-child.js';
import { startWorkspace } from '../servers/index.js';
import { settle } from './density-pair.js';

const PROGRAM = new URL('../programs/attach-child.js', import.meta.url);
const GROUP = 'peers and viewers';
const SETTLE_MS = 2_000;

/** What a connection takes of the agent, and a viewer of one terminal on a connection that stands. */
export async function peersAndViewers(context: CaseContext): Promise<Row[]> {
  const peers = atScale(context, { tiny: 3, normal: 40 });
  const viewers = atScale(context, { tiny: 5, normal: 150 });
  const kinds = ['local', ...ENGINES] as const;
  const samples = new Map<string, number[]>();
  const skipped = new Map<string, string>();
  const add = (subject: string, bytes: number): void => {
    samples.set(subject, [...(samples.get(subject) ?? []), bytes / 1024]);
  };
  for (let run = 1; run <= context.runs; run += 1) {
    for (const kind of kinds) {
      const missing = kind === 'local' ? undefined : await missingEngine(kind);
      if (missing !== undefined) {
        skipped.set(peerName(kind), missing);
        continue;
      }
      context.progress.show(
        `density · ${GROUP}, ${kind} · run ${String(run)}/${String(context.runs)}`,
      );
      try {
        const measured = await measure(context, kind, peers, viewers);
        add(peerName(kind), measured.peer);
        add(viewerName(kind), measured.viewer);
      } catch (error) {
        // One of many connections that did not come about must not cost the case all its other figures.
        skipped.set(
          `${peerName(kind)}, run ${String(run)}`,
          error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
        );
      }
    }
  }
  return [
    ...[...samples].map(([subject, each]) => ({
      ...{ group: GROUP, subject },
      figures: [{ name: 'PSS', unit: 'KiB each', samples: each }],
    })),
    ...[...skipped].map(([subject, reason]) => ({
      ...{ group: GROUP, subject },
      figures: [],
      skipped: reason,
    })),
  ];
}

async function measure(
  context: CaseContext,
  kind: 'local' | 'werift' | 'native',
  peers: number,
  viewers: number,
): Promise<{ readonly peer: number; readonly viewer: number }> {
  const workspace = await startWorkspace(context, {
    terminals: 'workers',
    ...(kind === 'local' ? {} : { webrtc: kind }),
  });
  const client = new Program<AttachMethods>(PROGRAM);
  context.defer(() => client.stop());
  const path: AgentPath =
    kind === 'local' ? { kind, socket: workspace.socket } : workspace.path(kind);
  try {
    // The first one loads code that all share.
    await client.call('connect', path);
    await client.call('connectMore', { count: 1 });
    const id = await client.call('fill', { bytes: 1_024 });
    await client.call('view', { id, count: 1 });
    await settle(context, SETTLE_MS);
    const { pid } = workspace.program;
    const base = pssBytes(pid);
    await client.call('view', { id, count: viewers });
    await settle(context, SETTLE_MS);
    const viewed = pssBytes(pid);
    await client.call('connectMore', { count: peers });
    await settle(context, SETTLE_MS);
    return { viewer: (viewed - base) / viewers, peer: (pssBytes(pid) - viewed) / peers };
  } finally {
    await client.stop();
    await workspace.program.stop();
    await workspace.broker.stop();
  }
}

function peerName(kind: string): string {
  return kind === 'local' ? 'connection, local socket' : `connection, WebRTC by ${kind}`;
}

function viewerName(kind: string): string {
  return kind === 'local' ? 'viewer, local socket' : `viewer, WebRTC by ${kind}`;
}
