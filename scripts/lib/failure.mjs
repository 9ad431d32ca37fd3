/** A failure whose message is all that its reader needs: printed on one line, without a stack. */
export class Failure extends Error {
  /** @param {string} message @param {{ detail?: string, exitCode?: number }} [options] */
  constructor(message, { detail = '', exitCode = 1 } = {}) {
    super(message);
    /** Output of the program that failed; printed above the message. */
    this.detail = detail;
    this.exitCode = exitCode;
  }
}

/** Runs a script's `main`, prints a {@link Failure} plainly and sets the exit status. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.detail !== '') process.stderr.write(`${error.detail.trimEnd()}\n`);
    process.stderr.write(`holdfast: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
