/** `npm run proof:exit -- [--runs N]`: sets up, then proves that no output is lost at an exit. */
import { pathToFileURL } from 'node:url';
import { runMain } from './lib/failure.mjs';
import { inRoot } from './lib/paths.mjs';
import { setup } from './setup.mjs';

await runMain(async () => {
  await setup();
  const program = inRoot('dist/test/proof/exit.js');
  process.argv = [process.execPath, program, ...process.argv.slice(2)];
  await import(pathToFileURL(program).href);
});
