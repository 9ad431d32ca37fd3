/**
 * Bundles the programs, `holdfast` and `holdfast-load`, with all that they load, into dist/program: Node takes longer
 * to find, read and link some 600 modules than to run them. Made from what the compiler wrote, so the types are checked;
 * threads and child processes still run the compiler's files.
 */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, runMain } from './lib/failure.mjs';
import { inRoot, ROOT } from './lib/paths.mjs';

const SOURCE = inRoot('dist/src');
const OUT = inRoot('dist/program');
/** Each program, named as in package.json's `bin`, with the compiler's file that it begins with. */
const ENTRIES = {
  holdfast: path.join(SOURCE, 'main/cli/main.js'),
  'holdfast-load': path.join(SOURCE, 'main/load/main.js'),
};

/**
 * Packages that stay where they are: with files or native parts that they look for beside themselves, or which the
 * commands that people wait for do not load.
 */
const EXTERNAL = [
  '@fastify/*',
  '@xterm/*',
  'cpu-features',
  'fastify',
  'koffi',
  'lmdb',
  'node-datachannel',
  'node-pty',
  'piscina',
  'prom-client',
  'winston',
];

/** What modules in CommonJS expect, in a module that has none of it. */
const BANNER = [
  `import { createRequire as $createRequire } from 'node:module';`,
  `const require = $createRequire(import.meta.url);`,
  `const __filename = import.meta.filename;`,
  `const __dirname = import.meta.dirname;`,
].join('');

/** @throws {Failure} with the bundler's messages. */
export async function buildProgram() {
  // Imported here: the set-up loads this file before the package is installed.
  const { build } = await import('esbuild');
  rmSync(OUT, { recursive: true, force: true });
  try {
    await build({
      absWorkingDir: ROOT,
      entryPoints: ENTRIES,
      outdir: OUT,
      // All in one folder, which is what makes the places of files below right.
      chunkNames: '[name]-[hash]',
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: 'linked',
      external: EXTERNAL,
      banner: { js: BANNER },
      plugins: [placesOfFiles, nativeParts],
      logLevel: 'silent',
    });
  } catch (error) {
    throw new Failure('the build of the program failed', { detail: error.message });
  }
}

/** A module that looks for files beside itself finds them where the compiler put them. */
const placesOfFiles = {
  name: 'places of files',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]dist[\\/]src[\\/].*\.js$/ }, ({ path: file }) => {
      const text = readFileSync(file, 'utf8');
      if (!text.includes('import.meta.url')) return undefined;
      const place = path.relative(OUT, file).split(path.sep).join('/');
      const url = `new URL(${JSON.stringify(place)}, import.meta.url).href`;
      return { contents: text.replaceAll('import.meta.url', url), loader: 'js' };
    });
  },
};

/** The native part of a package is asked for by the package's name, wherever it is installed. */
const nativeParts = {
  name: 'native parts',
  setup({ onResolve }) {
    onResolve({ filter: /\.node$/ }, ({ path: file, resolveDir }) => {
      const whole = path.join(resolveDir, file);
      const within = whole.slice(whole.lastIndexOf('node_modules') + 'node_modules/'.length);
      return { path: within.split(path.sep).join('/'), external: true };
    });
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(buildProgram);
