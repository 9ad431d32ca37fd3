import { asHoldfastError, EXIT, formatError } from './output/index.js';

/** A reader such as `head` that went away is no failure of ours; 141 is what a shell shows for SIGPIPE. */
export const SIGPIPE_STATUS = 141;

/**
 * Ends this process with the two lines of a failure if one is caught by nobody, and quietly if the reader of
 * its output has gone.
 * @param program Whose failure it is.
 * @param interrupt Called first when the reader has gone. True: the process will end by itself, soon.
 */
export function guardProcess(program: string, interrupt: () => boolean): void {
  const fail = (error: unknown): never => {
    process.stderr.write(formatError(asHoldfastError(error), program));
    process.exit(EXIT.internal);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') fail(error);
    if (!interrupt()) process.exit(SIGPIPE_STATUS);
  });
  process.stderr.on('error', () => {
    process.exit(EXIT.failure);
  });
}
