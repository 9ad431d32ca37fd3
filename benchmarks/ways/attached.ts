import path from 'node:path';
import { missingTools, type CaseContext } from '../harness/index.js';
import type { SessionSpec } from '../programs/sessions/index.js';
import {
  startAbduco,
  startBenchAgent,
  startDtach,
  startOpenSsh,
  startScreen,
  startTmux,
} from '../servers/index.js';

/** A way to a shell in a terminal, opened anew for each run. */
export interface Way {
  readonly name: string;
  open(): Promise<{
    readonly spec: SessionSpec;
    /** Processes that serve it, for CPU and memory. */
    readonly servers: readonly number[];
    close(): Promise<void> | void;
  }>;
  /**
   * `all`: every byte, or the benchmark fails. `some`: it drops what a slow client does not take. `redraws`: what
   * the screen looks like, now and then.
   */
  readonly delivers: 'all' | 'some' | 'redraws';
  /** The client itself is what is measured. */
  readonly isClientOnly: boolean;
}

/** Ways that can be measured here, and those that cannot, with the reason. */
export interface Ways {
  readonly ways: readonly Way[];
  readonly skipped: readonly (readonly [name: string, reason: string])[];
}

export const BARE = 'bare onread loop';
export const TRACKED = 'holdfast terminal';
export const UNTRACKED = 'holdfast terminal, no screens';
export const HOLDFAST_SSH = 'holdfast ssh';
export const OPENSSH = 'openssh ssh -tt';
export const DTACH = 'dtach';
export const ABDUCO = 'abduco';
export const TMUX = 'tmux attach';
export const TMUX_CONTROL = 'tmux -C';
export const SCREEN = 'screen';

const nothing = (): void => undefined;

/** Starts what the ways need for the whole of a case. */
export async function prepareWays(context: CaseContext): Promise<Ways> {
  const skipped: [string, string][] = [];
  const ways: Way[] = [
    {
      name: BARE,
      open: async () => ({
        spec: { kind: 'pty-program', args: ['/bin/sh'], env: {} },
        servers: [],
        close: nothing,
      }),
      delivers: 'all',
      isClientOnly: true,
    },
    ...(await holdfastWays(context)),
  ];
  const openssh = await startOpenSsh(context.scratch);
  if (typeof openssh === 'string') {
    skipped.push([OPENSSH, openssh]);
  } else {
    context.defer(() => openssh.stop());
    ways.push({
      name: OPENSSH,
      open: async () => ({
        spec: { kind: 'ssh-program', args: openssh.clientArgs },
        servers: [openssh.pid],
        close: nothing,
      }),
      delivers: 'all',
      isClientOnly: false,
    });
  }
  const others = otherWays(context.scratch);
  return {
    ways: [...ways, ...others.ways],
    skipped: [...skipped, ...others.skipped],
  };
}

async function holdfastWays(context: CaseContext): Promise<Way[]> {
  const agent = await startBenchAgent(context, { terminals: 'workers' });
  const untracked = await startBenchAgent(context, { terminals: 'untracked' });
  const { socket, hostKey } = agent;
  const way = (name: string, spec: SessionSpec, server: number): Way => ({
    name,
    open: async () => ({ spec, servers: [server], close: nothing }),
    delivers: 'all',
    isClientOnly: false,
  });
  return [
    way(TRACKED, { kind: 'terminal', path: { kind: 'local', socket } }, agent.program.pid),
    way(
      UNTRACKED,
      { kind: 'terminal', path: { kind: 'local', socket: untracked.socket } },
      untracked.program.pid,
    ),
    way(HOLDFAST_SSH, { kind: 'agent-ssh', socket, hostKey }, agent.program.pid),
  ];
}

/** Those of other programs whose server is started for each run. */
function otherWays(scratch: string): Ways {
  let count = 0;
  const fresh = (name: string): string => {
    count += 1;
    return path.join(scratch, `${name}-${String(count)}`);
  };
  const tmux = (name: string, spec: 'attach' | 'control'): Way => ({
    name,
    open: async () => {
      const server = startTmux(fresh('t'));
      return {
        spec: server[spec],
        servers: [server.pid],
        close: () => {
          server.stop();
        },
      };
    },
    delivers: spec === 'attach' ? 'redraws' : 'all',
    isClientOnly: false,
  });
  const all: readonly { readonly way: Way; readonly missing: string | undefined }[] = [
    {
      missing: missingTools('dtach'),
      way: {
        name: DTACH,
        open: async () => {
          const master = await startDtach(fresh('d'));
          return { spec: master.attach, servers: [master.pid], close: () => master.stop() };
        },
        delivers: 'some',
        isClientOnly: false,
      },
    },
    {
      missing: missingTools('abduco'),
      way: {
        name: ABDUCO,
        open: async () => {
          const server = await startAbduco(fresh('b'));
          return {
            spec: server.attach,
            servers: [server.pid],
            close: () => {
              server.stop();
            },
          };
        },
        delivers: 'all',
        isClientOnly: false,
      },
    },
    { missing: missingTools('tmux'), way: tmux(TMUX_CONTROL, 'control') },
    { missing: missingTools('tmux'), way: tmux(TMUX, 'attach') },
    {
      missing: missingTools('screen'),
      way: {
        name: SCREEN,
        open: async () => {
          const session = await startScreen(scratch, path.basename(fresh('s')));
          return {
            spec: session.attach,
            servers: [session.pid],
            close: () => {
              session.stop();
            },
          };
        },
        delivers: 'redraws',
        isClientOnly: false,
      },
    },
  ];
  return {
    ways: all.filter(({ missing }) => missing === undefined).map(({ way }) => way),
    skipped: all.flatMap(({ way, missing }) =>
      missing === undefined ? [] : [[way.name, missing]],
    ),
  };
}
