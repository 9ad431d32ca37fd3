import { Program, type CaseContext } from '../harness/index.js';
import type { ClientMethods } from '../programs/client-child.js';
import type { ExecMethods } from '../programs/exec-child.js';
import type { QuietMethods } from '../programs/quiet-child.js';
import type { SshServerSpec } from '../programs/ssh-clients.js';
import type { BenchSshAgent, SshTarget } from '../servers/index.js';

/** What is timed, by the name of its row. */
export const PROBES = {
  ssh: 'echo, holdfast ssh',
  quiet: 'echo, holdfast quiet terminals',
  bare: 'echo, bare PTY',
  openssh: 'echo, openssh',
  exec: 'exec, holdfast ssh',
  opensshExec: 'exec, openssh',
} as const;

/** The row that stands for OpenSSH where it is not installed. */
export const OPENSSH = 'openssh';

/** Latencies in ms by probe. */
export type Samples = ReadonlyMap<string, readonly number[]>;

export interface ProbeOptions {
  readonly keys: number;
  readonly keyIntervalMs: number;
  /** Of commands, if there are any. */
  readonly execIntervalMs?: number;
}

/** Clients that stand ready, each in a process of its own. */
export interface Probes {
  /** Runs all of them at the same time. */
  measure(options: ProbeOptions): Promise<Samples>;
}

export interface ProbeChoice {
  /** Absent: it is not installed, or not asked. */
  readonly openssh?: SshTarget | undefined;
  /** How many quiet terminals. */
  readonly quiet: number;
  /** Whether commands are run as well. */
  readonly execs?: boolean;
}

export async function openProbes(
  { defer }: Pick<CaseContext, 'defer'>,
  agent: BenchSshAgent,
  { openssh, quiet, execs = false }: ProbeChoice,
): Promise<Probes> {
  const ours: SshServerSpec = {
    kind: 'agent-ssh',
    socket: agent.socket,
    hostKey: agent.hostKey,
    keyFile: agent.target.keyFile,
  };
  const theirs: SshServerSpec | undefined = openssh && {
    ...{ kind: 'ssh-library', port: openssh.port, keyFile: openssh.keyFile, user: openssh.user },
  };
  type Timed = (options: ProbeOptions) => Promise<readonly number[]>;
  const probes: (readonly [string, Timed])[] = [];

  const terminals = new Program<QuietMethods>(
    new URL('../programs/quiet-child.js', import.meta.url),
  );
  defer(() => terminals.stop());
  await terminals.call('open', { path: { kind: 'local', socket: agent.socket }, count: quiet });
  probes.push([
    PROBES.quiet,
    ({ keys, keyIntervalMs }) => terminals.call('echo', { keys, intervalMs: keyIntervalMs }),
  ]);

  const bare = { kind: 'pty-program', args: ['/bin/sh'], env: {} } as const;
  for (const [name, spec] of [
    [PROBES.ssh, ours],
    [PROBES.bare, bare],
    [PROBES.openssh, theirs],
  ] as const) {
    if (spec === undefined) continue;
    const client = new Program<ClientMethods>(
      new URL('../programs/client-child.js', import.meta.url),
    );
    defer(() => client.stop());
    await client.call('open', spec);
    await client.call('prepareEcho', {});
    probes.push([
      name,
      ({ keys, keyIntervalMs }) => client.call('echo', { keys, intervalMs: keyIntervalMs }),
    ]);
  }

  for (const [name, spec] of [
    [PROBES.exec, ours],
    [PROBES.opensshExec, theirs],
  ] as const) {
    if (spec === undefined || !execs) continue;
    const client = new Program<ExecMethods>(new URL('../programs/exec-child.js', import.meta.url));
    defer(() => client.stop());
    await client.call('open', spec);
    probes.push([
      name,
      ({ keys, keyIntervalMs, execIntervalMs = 250 }) =>
        client.call('every', {
          count: Math.max(1, Math.floor((keys * keyIntervalMs) / execIntervalMs)),
          intervalMs: execIntervalMs,
        }),
    ]);
  }
  return {
    measure: async (options) =>
      new Map(
        await Promise.all(
          probes.map(async ([name, measure]) => [name, await measure(options)] as const),
        ),
      ),
  };
}
