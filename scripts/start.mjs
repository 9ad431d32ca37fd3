/**
 * `npm start`: sets up, then becomes `holdfast up`. The command runs in this very process, so that its
 * signals and exit status are npm's; `npm start -- --port 0` passes the flags on.
 */
import { pathToFileURL } from 'node:url';
import { runMain } from './lib/failure.mjs';
import { inRoot, ownPrograms } from './lib/paths.mjs';
import { setup } from './setup.mjs';

await runMain(async () => {
  await setup();
  const program = inRoot(ownPrograms().holdfast);
  process.argv = [process.execPath, program, 'up', ...process.argv.slice(2)];
  await import(pathToFileURL(program).href);
});
