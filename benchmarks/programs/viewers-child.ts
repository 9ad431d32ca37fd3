/** Program: many viewers that only count. */
import { randomUUID } from 'node:crypto';
import type { TerminalId } from '../../src/shared/common/index.js';
import type { TerminalSettings, TerminalSize } from '../../src/shared/common/wire/index.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { serveProgram, wallNow } from '../harness/index.js';
import {
  CountingConnection,
  openOthers,
  type CountingViewer,
  type OtherViewers,
} from './viewers/index.js';

export interface CrowdParams {
  readonly socket: string;
  /** Of each terminal, on a connection each; the same connections for all terminals. */
  readonly viewers: number;
  /** What each new terminal runs. */
  readonly commands: readonly (readonly string[])[];
  /** Who may type: all of them, or nobody but the first. */
  readonly typists: 'all' | 'first';
  readonly settings?: TerminalSettings;
}

export interface JoinParams {
  readonly socket: string;
  readonly viewers: number;
  readonly ids: readonly string[];
  readonly typists: 'all' | 'none';
}

export interface ResizeParams {
  /** Of each viewer. */
  readonly perSecond: number;
  readonly milliseconds: number;
  readonly last: TerminalSize;
}

/** Of all viewers of this process so far. */
export interface CrowdFigures {
  readonly received: number;
  /** Bytes that the server said it left out. */
  readonly missed: number;
  /** Holes in the log that nobody stated. */
  readonly defects: number;
  /** When the last byte came, as of `wallNow`. */
  readonly lastAt: number;
  /** Bytes that came, by terminal: the most that one of its viewers got, missed ones included. */
  readonly byTerminal: readonly number[];
  /** Bytes that came, by viewer of the first terminal. */
  readonly byViewer: readonly number[];
}

const ROWS = 24;
const COLS = 80;
const POLL_MS = 5;
/** Output that stops for so long does not come any more. */
const SILENCE_MS = 1_000;
let connections: CountingConnection[] = [];
/** By terminal, then by viewer. */
let watched: CountingViewer[][] = [];
let others: Awaited<ReturnType<typeof openOthers>> = [];
let ids: TerminalId[] = [];

const methods = {
  /** Makes terminals and attaches all viewers; answers with their ids. */
  start: async ({ socket, viewers, commands, typists, settings }: CrowdParams) => {
    await openConnections(socket, viewers);
    ids = commands.map(() => randomUUID() as TerminalId);
    for (const [index, id] of ids.entries()) {
      const command = [...(commands[index] ?? [])];
      await connections[0]?.agent.create(id, { command, rows: ROWS, cols: COLS });
    }
    await watch(ids, (viewer) => typists === 'all' || viewer === 0, settings);
    return ids;
  },

  /** Attaches to terminals that somebody else has made. */
  join: async ({ socket, viewers, ids: joined, typists }: JoinParams) => {
    await openConnections(socket, viewers);
    await watch(joined as TerminalId[], () => typists === 'all');
  },

  /** Attaches to a terminal of another program. */
  startOthers: async ({
    viewers,
    spec,
  }: {
    readonly viewers: number;
    readonly spec: OtherViewers;
  }) => {
    others = await openOthers(spec, viewers);
  },

  /** Types into a terminal, as its first viewer. */
  type: async ({ terminal, text }: { readonly terminal: number; readonly text: string }) => {
    watched[terminal]?.[0]?.type(text);
  },

  /** Resolves when every viewer has had at least `bytes` bytes, missed ones included. */
  flowing: async ({ bytes }: { readonly bytes: number }) => {
    while (!hasAll(bytes)) await sleep(POLL_MS);
  },

  /**
   * Every viewer of the first terminal asks for another size so often a second; at the end the first one asks for
   * `last`. @returns how many sizes were asked for.
   */
  resize: async ({ perSecond, milliseconds, last }: ResizeParams): Promise<number> => {
    const viewers = watched[0] ?? [];
    const end = performance.now() + milliseconds;
    let asked = 0;
    while (performance.now() < end) {
      for (const [index, viewer] of viewers.entries()) {
        viewer.resize({ rows: 20 + ((asked + index) % 20), cols: 60 + ((asked * 7 + index) % 60) });
        asked += 1;
      }
      await sleep(1_000 / perSecond);
    }
    viewers[0]?.resize(last);
    return asked + 1;
  },

  figures: async (_: object): Promise<CrowdFigures> => figures(),

  /**
   * Resolves when every viewer has had `bytes` bytes, missed ones included, or nothing has come to any of them for a
   * while: a server that drops output does not say so.
   */
  settled: async ({ bytes }: { readonly bytes: number }): Promise<CrowdFigures> => {
    let last = figures();
    let lastChange = wallNow();
    while (!hasAll(bytes) && wallNow() - lastChange < SILENCE_MS) {
      await sleep(POLL_MS);
      const now = figures();
      if (now.received + now.missed !== last.received + last.missed) lastChange = wallNow();
      last = now;
    }
    return figures();
  },

  /** Ends terminals that {@link methods.start} made, and all viewers. */
  stop: async (_: object) => {
    for (const viewer of watched.flat()) viewer.detach();
    for (const id of ids) await connections[0]?.agent.kill(id).catch(() => undefined);
    await Promise.all(connections.map((connection) => connection.close()));
    await Promise.all(others.map((viewer) => viewer.close()));
    connections = [];
    watched = [];
    others = [];
    ids = [];
  },
};

export type ViewersMethods = typeof methods;

serveProgram(methods, async () => {
  await methods.stop({});
});

function hasAll(bytes: number): boolean {
  return (
    watched.every((viewers) =>
      viewers.every(({ received, missed }) => received + missed >= bytes),
    ) && others.every(({ received }) => received >= bytes)
  );
}

async function openConnections(socket: string, count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) {
    connections.push(await CountingConnection.open(socket));
  }
}

async function watch(
  terminals: readonly TerminalId[],
  mayType: (viewer: number) => boolean,
  settings?: TerminalSettings,
): Promise<void> {
  watched = terminals.map(() => []);
  for (const [index, connection] of connections.entries()) {
    const attaching = terminals.map((id) =>
      connection.watch(id, {
        wantsType: mayType(index),
        ...(settings === undefined || index > 0 ? {} : { settings }),
      }),
    );
    await Promise.all(attaching.map(({ attached }) => attached));
    for (const [terminal, viewer] of attaching.entries()) watched[terminal]?.push(viewer);
  }
}

function figures(): CrowdFigures {
  const all = watched.flat();
  const sum = (read: (viewer: CountingViewer) => number): number =>
    all.reduce((total, viewer) => total + read(viewer), 0);
  return {
    received:
      sum(({ received }) => received) + others.reduce((total, { received }) => total + received, 0),
    missed: sum(({ missed }) => missed),
    defects: sum(({ defects }) => defects),
    lastAt: Math.max(0, ...all.map(({ lastAt }) => lastAt), ...others.map(({ lastAt }) => lastAt)),
    byTerminal: watched.map((viewers) =>
      Math.max(0, ...viewers.map(({ received, missed }) => received + missed)),
    ),
    byViewer: [...(watched[0] ?? []), ...others].map(({ received }) => received),
  };
}
