/** `npm run bench -- NAME...` and its like: sets up, then runs a program of the benchmarks in this process. */
import { pathToFileURL } from 'node:url';
import { runMain } from './lib/failure.mjs';
import { inRoot } from './lib/paths.mjs';
import { setup } from './setup.mjs';

await runMain(async () => {
  await setup();
  const [name = 'run', ...args] = process.argv.slice(2);
  const program = inRoot(`dist/benchmarks/${name}.js`);
  process.argv = [process.execPath, program, ...args];
  await import(pathToFileURL(program).href);
});
