/** One terminal, two page-like clients and two real `holdfast attach`, one of which is stopped for a while. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { LinkKeeper } from '../../src/main/cli/link-keeper.js';
import { limits } from '../../src/shared/common/index.js';
import type { Pace } from '../../src/shared/common/wire/index.js';
import { Watcher } from './e2e.js';
import { findProgram } from './programs.js';
import { tempDir } from './temp-dir.js';
import { cleanEnvironment, HOLDFAST } from './up.js';
import { waitFor } from './wait-for.js';

const ID = 'shared';
const LAST_LINES = 30;
const run = promisify(execFile);

export interface SharedOptions {
  /** A connection of its own for each page-like client. */
  readonly link: () => LinkKeeper;
  /** Behind `holdfast attach WORKSPACE shared`. */
  readonly workspace: string;
  readonly attachArgs: readonly string[];
  readonly configDir?: string;
  /** As the pages ask for it. */
  readonly pace: Pace;
  readonly beforeMs: number;
  readonly stoppedMs: number;
}

export interface SharedRun {
  /** Bytes per second of the page-like clients together: before the stop, and in it. */
  readonly beforeRate: number;
  readonly stoppedRate: number;
  /** Bytes that those who read on missed, and holes that nobody stated. */
  readonly missed: number;
  readonly defects: number;
  /** What each `attach` said of what it had missed. Absent: nothing. */
  readonly notices: readonly [running: string | undefined, stopped: string | undefined];
  /** The screens of both `attach` at the end. */
  readonly screens: readonly [running: string, stopped: string];
}

/** Needs tmux: it is the terminal of both `attach`. */
export async function sharedRun(options: SharedOptions): Promise<SharedRun> {
  const { link, workspace, attachArgs, configDir, pace, beforeMs, stoppedMs } = options;
  const folder = tempDir();
  const text = join(folder, 'text');
  const stop = join(folder, 'stop');
  writeFileSync(
    text,
    Array.from({ length: 10_000 }, (_, line) => `${String(line).padStart(70, '.')}\n`).join(''),
  );
  const socket = join(folder, 'tmux');
  const tmux = async (...args: readonly string[]): Promise<string> =>
    (
      await run(findProgram('tmux') ?? 'tmux', ['-f', '/dev/null', '-S', socket, ...args], {
        maxBuffer: 2 ** 26,
      })
    ).stdout;
  const links = [link(), link()];
  const pages = links.map(
    (each) => new Watcher(each, ID, { settings: { pace, sizePolicy: 'fixed' } }),
  );
  const received = (): number => pages.reduce((sum, page) => sum + page.received, 0);
  try {
    await Promise.all(pages.map((page) => page.attached()));
    pages[0]?.type(
      `stty -echo; PS1=; while [ ! -e ${stop} ]; do cat ${text}; done; ` +
        `i=0; while [ $i -lt ${String(LAST_LINES)} ]; do i=$((i+1)); echo "last line $i"; done\n`,
    );
    await waitFor(() => received() > 100_000, { what: 'the flood' });
    const environment = {
      ...cleanEnvironment(folder),
      TERM: 'screen-256color',
      ...(configDir === undefined ? {} : { HOLDFAST_CONFIG_DIR: configDir }),
    };
    const env = Object.entries(environment).map(([name, value]) => `${name}=${value ?? ''}`);
    const names = ['running', 'stopped'] as const;
    await tmux(
      'start-server',
      ';',
      'set-option',
      '-g',
      'history-limit',
      '20000',
      ';',
      'set-option',
      '-g',
      'exit-empty',
      'off',
    );
    for (const name of names) {
      await tmux(
        ...['new-session', '-d', '-s', name, '-x', '80', '-y', '24', 'env', '-i', ...env],
        // A child of its own: what is the pane's own process tmux continues by itself when it is stopped.
        ...['sh', '-c', '"$@"; exit', 'sh', process.execPath, HOLDFAST],
        ...['attach', workspace, ID, ...attachArgs],
      );
    }
    const shown = (name: string, history = false): Promise<string> =>
      tmux('capture-pane', '-p', '-t', name, ...(history ? ['-S', '-'] : []));
    for (const name of names) {
      await waitFor(async () => (await shown(name)).includes('.....'), {
        what: `the flood in ${name}`,
        timeoutMs: 60_000,
      });
    }
    const rate = async (ms: number): Promise<number> => {
      const [start, bytes] = [performance.now(), received()];
      await sleep(ms);
      return ((received() - bytes) / (performance.now() - start)) * 1_000;
    };
    const beforeRate = await rate(beforeMs);
    const pane = (await tmux('display-message', '-p', '-t', 'stopped', '#{pane_pid}')).trim();
    const pid = Number(readFileSync(`/proc/${pane}/task/${pane}/children`, 'utf8').trim());
    process.kill(pid, 'SIGSTOP');
    // Until then it is waited for, as a link that is slow for a moment.
    await sleep(pace === 'slowest' ? limits.VIEWER_COUNTS_MS + 500 : limits.PATIENCE_MS);
    const stoppedRate = await rate(stoppedMs);
    writeFileSync(stop, '');
    await Promise.all(pages.map((page) => page.sees(`last line ${String(LAST_LINES)}`)));
    process.kill(pid, 'SIGCONT');
    for (const name of names) {
      await waitFor(async () => (await shown(name)).includes(`last line ${String(LAST_LINES)}`), {
        what: `the end in ${name}`,
        timeoutMs: 60_000,
      });
    }
    const notice = async (name: string): Promise<string | undefined> =>
      /\[holdfast: [^\]]*skipped\]/.exec(await shown(name, true))?.[0];
    const missed = pages
      .flatMap(({ gaps }) => gaps)
      .reduce((sum, { from, to }) => sum + to - from, 0);
    return {
      beforeRate,
      stoppedRate,
      missed,
      defects: pages.reduce((sum, { defects }) => sum + defects, 0),
      notices: [await notice('running'), await notice('stopped')],
      screens: [await shown('running'), await shown('stopped')],
    };
  } finally {
    if (!existsSync(stop)) writeFileSync(stop, '');
    await tmux('kill-server').catch(() => undefined);
    await Promise.all(pages.map(({ client }) => client.close()));
    await Promise.all(links.map((each) => each.close()));
  }
}
