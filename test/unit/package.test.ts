import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/documents.js';

interface Lockfile {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly version?: string;
        readonly integrity?: string;
        readonly optionalDependencies?: Readonly<Record<string, string>>;
      }
    >
  >;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(path.join(ROOT, name), 'utf8'));
}

const lock = read('package-lock.json') as Lockfile;
const manifest = read('package.json') as Manifest;

test('package - the lockfile has every optional package, else npm ci refuses it', () => {
  const locked = Object.keys(lock.packages);
  for (const [name, { optionalDependencies = {} }] of Object.entries(lock.packages)) {
    for (const optional of Object.keys(optionalDependencies)) {
      const found = locked.some((key) => key.endsWith(`node_modules/${optional}`));
      assert.ok(found, `${optional}, which ${name} names, is not in package-lock.json`);
    }
  }
});

test('package - everything locked is pinned by its content', () => {
  for (const [name, { version, integrity }] of Object.entries(lock.packages)) {
    if (name === '') continue;
    assert.ok(version !== undefined && integrity !== undefined, name);
  }
});

test('package - what is guarded by knowledge of its internals is pinned exactly', () => {
  for (const name of ['node-pty', 'ssh2', 'werift']) {
    assert.match(manifest.dependencies[name] ?? '', /^\d+\.\d+\.\d+$/, name);
  }
});

test('package - long running scripts replace the shell, so that signals reach them', () => {
  for (const name of ['start', 'test', 'bench']) {
    assert.match(manifest.scripts[name] ?? '', /^exec node /);
  }
});
