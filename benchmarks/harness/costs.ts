import { treeCpuSeconds, treePssBytes } from './processes.js';
import type { Figure } from './types.js';

const MIB = 2 ** 20;

/** Processes whose costs are told apart; each with all below it. */
export interface Sides {
  readonly server: readonly number[];
  readonly client: readonly number[];
}

/** What it took to move some bytes. */
export interface Costs {
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  readonly clientCpuSeconds: number;
  /** Right after it, with the load programs left out. */
  readonly serverPssMiB: number;
}

/** Runs `body` and measures what it cost. Only leaves of the process trees may end meanwhile. */
export async function withCosts<T>(
  sides: Sides,
  body: () => Promise<T>,
): Promise<Costs & { readonly result: T }> {
  const before = [treeCpuSeconds(sides.server), treeCpuSeconds(sides.client)] as const;
  const start = performance.now();
  const result = await body();
  const seconds = (performance.now() - start) / 1e3;
  return {
    result,
    seconds,
    serverCpuSeconds: treeCpuSeconds(sides.server) - before[0],
    clientCpuSeconds: treeCpuSeconds(sides.client) - before[1],
    serverPssMiB: treePssBytes(sides.server) / MIB,
  };
}

/** A measured flow of bytes. */
export interface Flow extends Costs {
  /** That arrived, at all receivers together. */
  readonly bytes: number;
  /** From the first byte to the last, where that is not `seconds`. */
  readonly flowSeconds?: number | undefined;
}

/** Rate, CPU of both ends per GB, and memory, as figures of a row. */
export function flowFigures(runs: readonly Flow[]): Figure[] {
  const figure = (name: string, unit: string, read: (run: Flow) => number): Figure => ({
    name,
    unit,
    samples: runs.map(read),
  });
  return [
    figure('', 'MB/s', ({ bytes, seconds, flowSeconds }) => bytes / 1e6 / (flowSeconds ?? seconds)),
    figure('server CPU', 's/GB', ({ bytes, serverCpuSeconds }) => (serverCpuSeconds * 1e9) / bytes),
    figure('client CPU', 's/GB', ({ bytes, clientCpuSeconds }) => (clientCpuSeconds * 1e9) / bytes),
    figure('server PSS', 'MiB', ({ serverPssMiB }) => serverPssMiB),
  ];
}
