/**
 * Brings a clone to where it can run: installs the locked packages, builds. Plain Node, since before
 * the first install nothing but `node:` modules exists. What is done already is skipped.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { Failure, runMain } from './lib/failure.mjs';
import { withLock } from './lib/lock.mjs';
import { inRoot, ownPrograms, ROOT } from './lib/paths.mjs';
import {
  requireCompiler,
  requireNode,
  requireNpm,
  requirePtyBinary,
} from './lib/prerequisites.mjs';
import { step } from './lib/progress.mjs';
import { run, tail } from './lib/run.mjs';
import {
  buildStamp,
  isBuilt,
  isInstalled,
  isLinkedInstall,
  stampBuild,
  stampInstall,
} from './lib/stamps.mjs';

const INSTALL_LOG = inRoot('.setup', 'install.log');
const LOG_TAIL_LINES = 40;

/**
 * Installs and builds what is not up to date. Safe to run twice at the same time.
 * @param {{ build?: boolean }} [options] `build: false` only installs.
 * @throws {Failure} saying what is missing or went wrong.
 */
export async function setup({ build: wantsBuild = true } = {}) {
  requireNode();
  const isDone = () => isInstalled() && (!wantsBuild || isBuilt());
  if (isDone()) return;
  const onWait = (pid) => {
    process.stderr.write(`- another set-up (process ${String(pid)}) is at work, waiting for it\n`);
  };
  await withLock(inRoot('.setup', 'lock'), { onWait }, async () => {
    if (!isInstalled()) await install();
    if (wantsBuild && !isBuilt()) {
      const stamp = buildStamp();
      await step('build', build);
      stampBuild(stamp);
    }
  });
}

async function install() {
  const npm = requireNpm();
  requireCompiler();
  await step('install the packages of package-lock.json', async () => {
    const { status, output } = await run(npm.file, [
      ...npm.args,
      'ci',
      '--include=dev',
      // `npm --silent start` hands its own level down.
      '--loglevel=notice',
    ]);
    mkdirSync(path.dirname(INSTALL_LOG), { recursive: true });
    writeFileSync(INSTALL_LOG, output);
    if (status !== 0) {
      throw new Failure(
        `npm ci failed with status ${String(status)}; its whole log is in ${path.relative(ROOT, INSTALL_LOG)}`,
        { detail: tail(withoutUsage(output), LOG_TAIL_LINES) },
      );
    }
    requirePtyBinary(ROOT);
    linkOwnPrograms();
  });
  stampInstall();
}

/** npm's output without the list of its options, which follows the reason and buries it. */
function withoutUsage(output) {
  return output.replace(/^npm error Clean install a project\n(npm error.*\n)*/m, '');
}

/** Lets `npx holdfast` run the clone's own programs: npx looks into this folder first. */
function linkOwnPrograms() {
  if (process.platform === 'win32' || isLinkedInstall()) return;
  for (const [name, file] of Object.entries(ownPrograms())) {
    const link = inRoot('node_modules', '.bin', name);
    if (existsSync(link)) continue;
    rmSync(link, { force: true });
    symlinkSync(path.join('../..', file), link);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(() => setup());
