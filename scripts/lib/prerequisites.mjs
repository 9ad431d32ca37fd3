import { existsSync } from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { Failure } from './failure.mjs';

const NODE_MIN = [20, 19];

/** @throws {Failure} if this Node is too old to run Holdfast. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  throw new Failure(
    `Node ${process.versions.node} is too old: install 20.19 or newer (https://nodejs.org, or "npm install -g n && n 22")`,
  );
}

/**
 * How to run npm: the one that runs this script, else the one on the path.
 * @returns {{ file: string, args: string[] }}
 * @throws {Failure} if there is none.
 */
export function requireNpm() {
  const running = process.env.npm_execpath;
  if (running !== undefined && path.basename(running) === 'npm-cli.js' && existsSync(running)) {
    return { file: process.execPath, args: [running] };
  }
  const file = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  if (!isOnPath([file])) throw new Failure('npm is missing: apt-get install npm');
  return { file, args: [] };
}

/**
 * node-pty has no prebuilt binary for Linux and is compiled while it is installed.
 * @throws {Failure} naming all tools that are missing, and how to get them on Debian.
 */
export function requireCompiler() {
  if (process.platform !== 'linux') return;
  const needed = [
    { programs: ['python3', 'python'], pkg: 'python3' },
    { programs: ['make', 'gmake'], pkg: 'make' },
    { programs: ['g++', 'clang++', 'c++'], pkg: 'g++' },
  ];
  const missing = needed.filter(({ programs }) => !isOnPath(programs)).map(({ pkg }) => pkg);
  if (missing.length === 0) return;
  throw new Failure(
    `${missing.join(', ')} needed to compile node-pty: apt-get install ${missing.join(' ')}`,
  );
}

function isOnPath(names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return names.some((name) => folders.some((folder) => existsSync(path.join(folder, name))));
}

/** @throws {Failure} if node-pty's binary cannot be loaded by this Node. */
export function requirePtyBinary(root) {
  const probe = spawnSync(process.execPath, ['-e', 'require("node-pty")'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (probe.status === 0) return;
  throw new Failure(
    'node-pty was not compiled (is npm set to ignore scripts?): npm rebuild node-pty --ignore-scripts=false',
    { detail: probe.stderr },
  );
}
