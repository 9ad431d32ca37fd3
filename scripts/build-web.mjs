/**
 * Bundles the page: src/web/main.ts and the style sheets it imports become dist/web/assets/main.js and
 * main.css; src/web/index.html refers to them by these names. The browser asks for the tag of each file
 * on every load, so fixed names never show an old page.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, runMain } from './lib/failure.mjs';
import { inRoot, ROOT } from './lib/paths.mjs';

const SOURCE = inRoot('src/web');
const OUT = inRoot('dist/web');
/** Files of these kinds, next to the entry or in `static/`, are copied as they are. */
const COPIED = ['.html', '.svg', '.png', '.ico', '.webmanifest', '.txt'];

/** @throws {Failure} with the bundler's messages. */
export async function buildWeb() {
  const entry = path.join(SOURCE, 'main.ts');
  if (!existsSync(entry)) return;
  // Imported here: the set-up loads this file before the package is installed.
  const { build } = await import('esbuild');
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  try {
    await build({
      absWorkingDir: ROOT,
      entryPoints: [entry],
      outdir: path.join(OUT, 'assets'),
      tsconfig: path.join(SOURCE, 'tsconfig.json'),
      bundle: true,
      splitting: true,
      format: 'esm',
      target: 'es2022',
      minify: true,
      sourcemap: 'linked',
      legalComments: 'linked',
      assetNames: '[name]',
      loader: { '.woff2': 'file', '.svg': 'file' },
      logLevel: 'silent',
    });
  } catch (error) {
    throw new Failure('bundling the page failed', { detail: String(error) });
  }
  for (const name of readdirSync(SOURCE)) {
    if (COPIED.includes(path.extname(name))) cpSync(path.join(SOURCE, name), path.join(OUT, name));
  }
  if (existsSync(path.join(SOURCE, 'static'))) {
    cpSync(path.join(SOURCE, 'static'), OUT, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(buildWeb);
