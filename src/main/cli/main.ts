#!/usr/bin/env node
/**
 * The program `holdfast`. Only this file and what it imports statically is read before the command is
 * known; each command is loaded when it is called for, so that `holdfast version` starts as fast as
 * Node does.
 */
import { interrupt } from './interrupt.js';
import { asHoldfastError, EXIT, formatError } from './output/index.js';
import { run } from './run.js';

/** A reader such as `head` that went away is no failure of ours; 141 is what a shell shows for SIGPIPE. */
const SIGPIPE_STATUS = 141;

function fail(error: unknown): never {
  process.stderr.write(formatError(asHoldfastError(error)));
  process.exit(EXIT.internal);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') fail(error);
  if (!interrupt('SIGPIPE')) process.exit(SIGPIPE_STATUS);
});
process.stderr.on('error', () => {
  process.exit(EXIT.failure);
});

process.exit(await run(process.argv.slice(2)));
