/** `npm run bench -- NAME...`: sets up, then runs the named benchmarks in this process. */
import { pathToFileURL } from 'node:url';
import { runMain } from './lib/failure.mjs';
import { inRoot } from './lib/paths.mjs';
import { setup } from './setup.mjs';

await runMain(async () => {
  await setup();
  const program = inRoot('dist/benchmarks/run.js');
  process.argv = [process.execPath, program, ...process.argv.slice(2)];
  await import(pathToFileURL(program).href);
});
