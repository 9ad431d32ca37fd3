/** `npm run proof:NAME -- ...`: sets up, then runs the proof of that name, which says what it takes. */
import { pathToFileURL } from 'node:url';
import { runMain } from './lib/failure.mjs';
import { inRoot } from './lib/paths.mjs';
import { setup } from './setup.mjs';

await runMain(async () => {
  await setup();
  const [name, ...args] = process.argv.slice(2);
  const program = inRoot(`dist/test/proof/${name}.js`);
  process.argv = [process.execPath, program, ...args];
  await import(pathToFileURL(program).href);
});
