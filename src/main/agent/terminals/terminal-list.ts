import type { TerminalId } from '../../../shared/common/index.js';
import type { TerminalInfo } from '../../../shared/common/wire/index.js';
import type { ExitedTerminal } from './exited-terminals.js';
import { readForeground } from './foreground.js';
import type { TerminalHandle } from './terminal-handle.js';

/** What main knows of a running terminal beyond its handle. */
export interface RunningTerminal {
  readonly handle: TerminalHandle;
  readonly owner: string;
  /** Since anybody was attached, in ms. */
  readonly idleMs: number;
  readonly idleLimitMs: number;
}

/** Terminals that are looked up in /proc at a time. */
const STEP = 32;

/** The rows of a list. Never rejects. */
export async function describeTerminals(
  running: readonly RunningTerminal[],
  exited: readonly ExitedTerminal[],
  recordingOf: (id: TerminalId) => string | undefined = () => undefined,
): Promise<TerminalInfo[]> {
  const rows: TerminalInfo[] = [];
  const describe = async (terminal: RunningTerminal): Promise<TerminalInfo> => ({
    ...(await describeRunning(terminal)),
    recording: recordingOf(terminal.handle.id),
  });
  for (let at = 0; at < running.length; at += STEP) {
    rows.push(...(await Promise.all(running.slice(at, at + STEP).map(describe))));
  }
  return [...rows, ...exited.map(describeExited)];
}

async function describeRunning(terminal: RunningTerminal): Promise<TerminalInfo> {
  const { handle, idleMs, idleLimitMs } = terminal;
  const { shell } = handle;
  const foreground = await readForeground(handle.pid);
  // What the shell says is what was typed, and knows the folder of a job that runs as somebody else.
  const command = shell.running.at(-1)?.command ?? foreground.command;
  const cwd = shell.cwd ?? foreground.cwd;
  return {
    ...inCommon(terminal),
    state: handle.state === 'closed' ? 'exited' : handle.state,
    idleMs: handle.viewers > 0 ? 0 : Math.round(idleMs),
    idleLimitMs,
    ...(command === undefined ? {} : { command }),
    ...(cwd === undefined ? {} : { cwd }),
  };
}

function describeExited(terminal: ExitedTerminal): TerminalInfo {
  const { exit, endedAt } = terminal.handle;
  return {
    ...inCommon(terminal),
    state: 'exited',
    idleMs: endedAt === undefined ? 0 : Math.max(0, Date.now() - endedAt.getTime()),
    ...(exit === undefined ? {} : { exit }),
    ...(endedAt === undefined ? {} : { endedAt: endedAt.toISOString() }),
  };
}

function inCommon({
  handle,
  owner,
}: Pick<ExitedTerminal, 'handle' | 'owner'>): Omit<TerminalInfo, 'state' | 'idleMs'> {
  const { shell } = handle;
  return {
    id: handle.id,
    rows: handle.size.rows,
    cols: handle.size.cols,
    viewers: handle.viewers,
    bytes: handle.bytes,
    createdAt: handle.createdAt.toISOString(),
    title: shell.title,
    epoch: handle.epoch,
    owner,
    shellIntegration: shell.marks,
    ...(shell.lastStatus === undefined ? {} : { lastStatus: shell.lastStatus }),
  };
}
