/** Libraries that other programs reach SSH servers with, each behind a small program of this suite. */
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram, tempDir } from '../../support/index.js';
import { ROOT } from '../../support/documents.js';
import { programPath } from '../run-command.js';
import { firstLine, missingModules, missingPrograms, PYTHON } from './installed.js';
import { programClient } from './program.js';

const PROGRAMS = join(ROOT, 'test/ssh/programs');
/** Where Debian's packages of Go libraries put their sources. */
const GO_PATH = '/usr/share/gocode';

let built: string | undefined;
/** Where this process compiles to. */
function builds(): string {
  built ??= tempDir();
  return built;
}

export const paramiko = programClient({
  name: 'paramiko',
  packages: ['python3-paramiko'],
  missing: () => missingModules('paramiko'),
  version: async () =>
    `paramiko ${await firstLine(PYTHON, ['-c', 'import paramiko; print(paramiko.__version__)'])}`,
  command: () => [PYTHON, join(PROGRAMS, 'paramiko_client.py')],
});

export const asyncssh = programClient({
  name: 'asyncssh',
  packages: ['python3-asyncssh'],
  missing: () => missingModules('asyncssh'),
  version: async () =>
    `asyncssh ${await firstLine(PYTHON, ['-c', 'import asyncssh; print(asyncssh.__version__)'])}`,
  command: () => [PYTHON, join(PROGRAMS, 'asyncssh_client.py')],
});

export const libssh = programClient({
  name: 'libssh',
  packages: ['libssh-dev', 'gcc'],
  missing: async () => [
    ...(await missingPrograms('cc')),
    ...(existsSync('/usr/include/libssh/libssh.h') ? [] : ['the headers of libssh']),
  ],
  version: async () =>
    `libssh ${await firstLine(PYTHON, ['-c', 'import ctypes; l = ctypes.CDLL("libssh.so.4"); l.ssh_version.restype = ctypes.c_char_p; print(l.ssh_version(0).decode().split("/")[0])'])}`,
  prepare: async () => {
    const to = join(builds(), 'libssh-client');
    if (existsSync(to)) return;
    await compile('cc', ['-O1', '-Wall', join(PROGRAMS, 'libssh_client.c'), '-lssh', '-o', to], {});
  },
  command: () => [join(builds(), 'libssh-client')],
});

export const go = programClient({
  name: 'Go',
  packages: ['golang-go', 'golang-golang-x-crypto-dev', 'golang-github-pkg-sftp-dev'],
  missing: async () => [
    ...(await missingPrograms('go')),
    ...['golang.org/x/crypto/ssh', 'github.com/pkg/sftp']
      .filter((name) => !existsSync(join(GO_PATH, 'src', name)))
      .map((name) => `the Go package ${name}`),
  ],
  version: async () => `x/crypto of Debian, ${await firstLine(programPath('go'), ['version'])}`,
  prepare: async () => {
    const to = join(builds(), 'go-client');
    if (existsSync(to)) return;
    await compile('go', ['build', '-o', to, join(PROGRAMS, 'go_client.go')], {
      GO111MODULE: 'off',
      GOFLAGS: '',
      GOPATH: GO_PATH,
      GOCACHE: join(builds(), 'go-cache'),
      GOTMPDIR: builds(),
    });
  },
  command: () => [join(builds(), 'go-client')],
});

export const ssh2 = programClient({
  name: 'ssh2',
  packages: [],
  missing: () => Promise.resolve([]),
  version: () => {
    const require = createRequire(import.meta.url);
    const { version } = require('ssh2/package.json') as { version: string };
    return Promise.resolve(`ssh2 ${version}`);
  },
  command: () => [process.execPath, join(ROOT, 'dist/test/ssh/programs/ssh2-client.js')],
});

async function compile(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { status, stderr } = await runProgram(programPath(program), args, {
    env: { ...process.env, ...env },
    timeoutMs: 600_000,
  });
  if (status !== 0) throw new Error(`${program}: ${stderr.trim().slice(0, 2_000)}`);
}
