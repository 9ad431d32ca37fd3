import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Failure } from './failure.mjs';
import { ROOT } from './paths.mjs';

/** How much of a program's output is kept: the end of it is where failures are told. */
const KEEP_CHARS = 200_000;

/**
 * Runs a program without a shell and collects what it prints. A SIGINT or SIGTERM to this process is
 * passed on, and the promise then settles when the program has ended, so that nothing is left behind.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string | undefined>, cwd?: string }} [options]
 * @returns {Promise<{ status: number, output: string }>} `status` is 127 if the program could not be
 *   started and 128 if a signal ended it.
 * @throws {Failure} if a signal asked this process to end meanwhile.
 */
export function run(file, args, { env = process.env, cwd = ROOT } = {}) {
  return new Promise((resolve, reject) => {
    let output = '';
    let asked;
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const passOn = (signal) => {
      asked = signal;
      child.kill(signal);
    };
    const collect = (chunk) => {
      output = (output + chunk).slice(-KEEP_CHARS);
    };
    const finish = (status) => {
      process.off('SIGINT', passOn);
      process.off('SIGTERM', passOn);
      if (asked === undefined) resolve({ status, output });
      else reject(new Failure(`ended by ${asked}`, { exitCode: 128 + constants.signals[asked] }));
    };
    process.on('SIGINT', passOn);
    process.on('SIGTERM', passOn);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', collect);
    child.on('error', (error) => {
      output += error.message;
      finish(127);
    });
    child.on('close', (status) => {
      finish(status ?? 128);
    });
  });
}

/** Runs a JavaScript program with this very Node. */
export function runNode(args, options) {
  return run(process.execPath, args, options);
}

/** The last `count` lines of `text`. */
export function tail(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
