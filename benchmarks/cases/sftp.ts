import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { findProgram } from '../../test/support/programs.js';
import {
  alternate,
  atScale,
  compare,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Row,
} from '../harness/index.js';
import { SFTP_SERVER } from '../servers/index.js';
import { writeBlocks } from './copies.js';

const MIB = 2 ** 20;
const OURS = 'holdfast sftp-server';
const THEIRS = 'OpenSSH sftp-server';
const MEMORY = '/dev/shm';
/** Copies in one session: long enough for a server to be warm, small enough to lie in memory. */
const TIMES = 8;
const CLI = new URL('../../program/holdfast.js', import.meta.url).pathname;

/** What is timed: a name, and a line for the client. */
const WAYS = [
  { name: 'put', line: (folder: string) => `put ${folder}/file ${folder}/up` },
  { name: 'get', line: (folder: string) => `get ${folder}/file ${folder}/down` },
] as const;

/** Our SFTP server and OpenSSH's, each on the standard streams of OpenSSH's client. */
export const sftp: BenchCase = {
  name: 'sftp',
  summary: "a large file each way by OpenSSH's sftp, to our server and to OpenSSH's, on a pipe",
  minutes: 3,
  run: runSftp,
};

async function runSftp(context: CaseContext): Promise<CaseResult> {
  const mebibytes = atScale(context, { tiny: 16, small: 128, normal: 256 });
  const folder = chooseFolder(context, mebibytes);
  const settings = { MiB: mebibytes, times: TIMES, runs: context.runs };
  if (findProgram('sftp') === undefined || !existsSync(SFTP_SERVER)) {
    const skipped = 'openssh-client and openssh-sftp-server are not installed';
    const rows: Row[] = [{ group: 'put', subject: THEIRS, figures: [], skipped }];
    return { settings, rows, ratios: [], notes: [] };
  }
  writeBlocks(path.join(folder, 'file'), mebibytes);
  const servers = new Map([
    [OURS, `${process.execPath} ${CLI} sftp-server`],
    [THEIRS, SFTP_SERVER],
  ]);
  const rows: Row[] = [];
  const ratios: CaseResult['ratios'][number][] = [];
  for (const way of WAYS) {
    const line = way.line(folder);
    const subjects = [...servers].map(([name, server]) => ({
      name,
      // The start of either server is not what is compared.
      measure: async () => {
        const [idle, busy] = [
          await batchMs(server, ''),
          await batchMs(server, `${line}\n`.repeat(TIMES)),
        ];
        rmSync(path.join(folder, way.name === 'put' ? 'up' : 'down'));
        return (TIMES * mebibytes * MIB) / 1e3 / (busy - idle);
      },
    }));
    const results = await alternate(subjects, context, `sftp ${way.name}`);
    for (const [subject, samples] of results) {
      rows.push({ group: way.name, subject, figures: [{ name: 'rate', unit: 'MB/s', samples }] });
    }
    ratios.push(
      ...compare(rows, {
        group: way.name,
        ours: OURS,
        base: THEIRS,
        goal: { min: 0.8 },
        against: 'others',
      }),
    );
  }
  const notes = [
    `files in ${path.dirname(folder)}; the start of a server and its client is not counted`,
  ];
  return { settings, rows, ratios, notes };
}

/** In memory where there is room for a file and its copy: this compares servers, not disks. */
function chooseFolder({ scratch, defer }: CaseContext, mebibytes: number): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize < 3 * mebibytes * MIB) return scratch;
  } catch {
    return scratch;
  }
  const folder = mkdtempSync(path.join(MEMORY, 'hf-bench-'));
  defer(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** @throws {Error} The client failed. */
async function batchMs(server: string, lines: string): Promise<number> {
  const start = performance.now();
  const args = ['-q', '-R', '64', '-B', '131072', '-b', '-', '-D', server];
  const child = spawn('sftp', args, { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(`${lines}\n`);
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`sftp ended with ${String(status)}`);
  return performance.now() - start;
}
