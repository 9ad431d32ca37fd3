/** Compiles src, test and benchmarks to dist, and bundles the programs and the page. Needs the packages installed. */
import { chmodSync, existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram } from './build-program.mjs';
import { buildWeb } from './build-web.mjs';
import { Failure, runMain } from './lib/failure.mjs';
import { inRoot, ownPrograms, ROOT } from './lib/paths.mjs';
import { runNode } from './lib/run.mjs';
import { listFiles } from './lib/stamps.mjs';

/** Folders that tsc compiles. */
const COMPILED = ['src', 'test', 'benchmarks'];

/** @throws {Failure} with the compiler's messages. */
export async function build() {
  removeOrphans();
  const { status, output } = await runNode([inRoot('node_modules/typescript/bin/tsc'), '-p', '.']);
  if (status !== 0) throw new Failure('the build failed', { detail: output });
  await buildProgram();
  for (const file of Object.values(ownPrograms())) chmodSync(inRoot(file), 0o755);
  await buildWeb();
}

/** Removes what was built from a source that is gone: its test would run, its module resolve, for ever. */
function removeOrphans() {
  for (const folder of COMPILED) {
    for (const file of listFiles(inRoot('dist', folder))) {
      const stem = path.relative(inRoot('dist'), file).replace(/(\.d\.ts|\.js|\.js\.map)$/, '');
      if (!existsSync(path.join(ROOT, `${stem}.ts`))) rmSync(file);
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(build);
