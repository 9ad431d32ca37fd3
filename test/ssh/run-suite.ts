/** Runs clients against checks, and tools. Nothing rejects: what goes wrong is a red cell. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, tempDir } from '../support/index.js';
import type { Cell, Check, Client, Place, Tool, ToolContext } from './types.js';

export interface ClientRow {
  readonly client: string;
  readonly version: string;
  readonly way: Place['way'];
  readonly cells: Readonly<Record<string, Cell>>;
}

export interface ToolRow {
  readonly tool: string;
  readonly way: Place['way'];
  readonly cell: Cell;
}

/** Told of each cell as it is done. */
export type OnCell = (row: string, column: string, cell: Cell) => void;

/** One row of the table. */
export async function runClient(
  client: Client,
  checks: readonly Check[],
  options: { readonly place: Place; readonly bulkBytes: number; readonly onCell?: OnCell },
): Promise<ClientRow> {
  const { place, bulkBytes, onCell } = options;
  const cells: Record<string, Cell> = {};
  const fill = (cell: Cell): void => {
    for (const { name } of checks) cells[name] = cell;
    onCell?.(client.name, 'all', cell);
  };
  const row = { client: client.name, way: place.way, cells };
  const missing = await client.missing();
  if (missing.length > 0) {
    fill({ type: 'missing', reason: `${missing.join(', ')} not installed` });
    return { ...row, version: '' };
  }
  const version = await client.version();
  const prepared = await measured(async () => {
    await client.prepare?.(place);
    return '';
  });
  if (prepared.type === 'red') {
    fill(prepared);
    return { ...row, version };
  }
  for (const check of checks) {
    const cell = await runCheck(client, check, { place, bulkBytes });
    cells[check.name] = cell;
    onCell?.(client.name, check.name, cell);
  }
  return { ...row, version };
}

async function runCheck(
  client: Client,
  check: Check,
  options: { readonly place: Place; readonly bulkBytes: number },
): Promise<Cell> {
  const reason = client.lacks?.[check.name];
  if (!check.applies(client)) {
    return reason === undefined
      ? { type: 'red', reason: 'no reason is written down', ms: 0 }
      : { type: 'lacks', reason };
  }
  return await inFolder(async (folder) => {
    await check.run(client, { ...options, folder });
    return '';
  });
}

export async function runTool(tool: Tool, options: Omit<ToolContext, 'folder'>): Promise<ToolRow> {
  const row = { tool: tool.name, way: options.place.way };
  const missing = tool.needs.filter((name) => findProgram(name) === undefined);
  if (missing.length > 0) {
    return { ...row, cell: { type: 'missing', reason: `${missing.join(', ')} not installed` } };
  }
  const cell = await inFolder((folder) => tool.run({ ...options, folder }));
  return { ...row, cell };
}

/** Runs in a folder of its own, which is removed at once: some hold gigabytes. */
async function inFolder(work: (folder: string) => Promise<string>): Promise<Cell> {
  const folder = join(tempDir(), 'work');
  mkdirSync(folder);
  const cell = await measured(() => work(folder));
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    // A mount that was left behind, for instance.
    return cell.type === 'red' ? cell : { type: 'red', reason: oneLine(error), ms: 0 };
  }
  return cell;
}

async function measured(work: () => Promise<string>): Promise<Cell> {
  const started = performance.now();
  try {
    const note = await work();
    return { type: 'ok', note, ms: performance.now() - started };
  } catch (error) {
    return { type: 'red', reason: oneLine(error), ms: performance.now() - started };
  }
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').slice(0, 400);
}

/** Whether the run must fail: for a red cell, and in CI also for one that could not run. */
export function isFailure(cell: Cell): boolean {
  return cell.type === 'red' || (cell.type === 'missing' && process.env['CI'] === 'true');
}
