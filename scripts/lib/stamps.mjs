import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot, ROOT } from './paths.mjs';

/**
 * Stamps say what the installed packages and the build were made from. Each lies inside the folder it
 * vouches for, so that it goes when the folder goes.
 */
const INSTALL_STAMP = inRoot('node_modules', '.holdfast-stamp');
const BUILD_STAMP = inRoot('dist', '.holdfast-stamp');

/** What the build reads. */
const BUILD_INPUTS = ['src', 'test', 'benchmarks', 'scripts', 'tsconfig.json', 'package-lock.json'];

/** Lockfile, Node ABI and platform: what decides which packages, and which binaries, are installed. */
export function installStamp() {
  return createHash('sha256')
    .update(readFileSync(inRoot('package-lock.json')))
    .update(JSON.stringify([process.versions.modules, process.platform, process.arch]))
    .digest('hex');
}

/** Names, sizes and times of all that the build reads: reading the times of 500 files takes 10 ms. */
export function buildStamp() {
  const hash = createHash('sha256');
  for (const input of BUILD_INPUTS) {
    for (const file of listFiles(inRoot(input))) {
      const { size, mtimeMs } = statSync(file);
      hash.update(`${path.relative(ROOT, file)}\0${String(size)}\0${String(mtimeMs)}\n`);
    }
  }
  return hash.digest('hex');
}

/** Whether `node_modules` is a link to another folder, whose owner installs into it. */
export function isLinkedInstall() {
  return lstatSync(inRoot('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

export const isInstalled = () => isLinkedInstall() || readOr(INSTALL_STAMP) === installStamp();
export const isBuilt = () => readOr(BUILD_STAMP) === buildStamp();
export const stampInstall = () => writeFileSync(INSTALL_STAMP, installStamp());
/** `stamp` is taken before the build, so that a file saved during it causes another one. */
export const stampBuild = (stamp) => writeFileSync(BUILD_STAMP, stamp);

/** All files under `root` (or `root` itself), sorted by path. Absent root: none. */
export function listFiles(root) {
  const stat = statSync(root, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [root];
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function readOr(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
