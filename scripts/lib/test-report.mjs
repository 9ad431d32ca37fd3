import path from 'node:path';
import { inRoot } from './paths.mjs';
import { duration } from './progress.mjs';

/** The counters that the test runner states at the end of a run, in its own words and order. */
const COUNTERS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'];

/** Events that come in the order of the files. */
const EVENTS_OF_A_FILE = new Set(['test:pass', 'test:fail', 'test:stdout', 'test:stderr']);

/** What came out of all runs together. */
export class Totals {
  #counts = new Map(COUNTERS.map((name) => [name, 0]));
  #started = performance.now();

  /** Takes in one `test:diagnostic` of the runner. @returns whether it was one of its counters. */
  add(message) {
    const [name, value] = message.split(' ');
    if (name === 'duration_ms') return true;
    if (!this.#counts.has(name)) return false;
    this.#counts.set(name, this.#counts.get(name) + Number(value));
    return true;
  }

  get(name) {
    return this.#counts.get(name);
  }

  /** The summary in the form of the runner's spec reporter. */
  print() {
    for (const [name, value] of this.#counts) process.stdout.write(`ℹ ${name} ${String(value)}\n`);
    process.stdout.write(`ℹ duration_ms ${(performance.now() - this.#started).toFixed(0)}\n`);
  }
}

/**
 * The concise report: a line per file, what was skipped and why, and each failure with what its file
 * printed. Reads the events of `run()`; Node 20 and 24 differ only in fields that are not used here.
 */
export class ConciseReport {
  #files = new Map();
  #failures = [];

  constructor(totals) {
    this.totals = totals;
  }

  async read(events) {
    for await (const { type, data } of events) {
      const file = data.file === undefined ? undefined : this.#file(data.file);
      // The runner reports file after file, so a new name means that the one before is complete.
      if (file !== undefined && EVENTS_OF_A_FILE.has(type)) this.#printFiles(file);
      switch (type) {
        case 'test:pass':
        case 'test:fail':
          this.#ended(type, data, file);
          break;
        case 'test:stdout':
        case 'test:stderr':
          file?.output.push(data.message);
          break;
        case 'test:diagnostic':
          this.totals.add(data.message);
          break;
        default:
      }
    }
  }

  /** The last file's line, then the failures. */
  print() {
    const out = process.stdout;
    this.#printFiles(undefined);
    for (const { name, file, error } of this.#failures) {
      out.write(`\n✖ ${name}\n  in ${file}\n${indent(error)}\n`);
    }
    for (const [name, file] of this.#files) {
      if (file.fail === 0 || file.output.length === 0) continue;
      out.write(
        `\nwhat ${name} printed (end of it):\n${indent(file.output.join('').slice(-8_000))}\n`,
      );
    }
    out.write('\n');
  }

  /** One line for each file that has events which were not printed yet, but for `current`. */
  #printFiles(current) {
    const out = process.stdout;
    for (const [name, file] of this.#files) {
      if (file === current || file.printed) continue;
      file.printed = true;
      const count = `${String(file.pass)} passed`;
      const failed = file.fail === 0 ? '' : `, ${String(file.fail)} failed`;
      out.write(
        `${file.fail === 0 ? '✔' : '✖'} ${name}  ${count}${failed}, ${duration(file.ms)}\n`,
      );
      for (const line of file.skipped) out.write(`  ﹣ ${line}\n`);
    }
    if (current !== undefined) current.printed = false;
  }

  #ended(type, data, file) {
    if (file === undefined || data.details?.type === 'suite') return;
    if (data.nesting === 0) file.ms += data.details?.duration_ms ?? 0;
    if (data.skip !== undefined && data.skip !== false) {
      file.skipped.push(`${data.name}  # ${data.skip === true ? 'skipped' : data.skip}`);
    } else if (type === 'test:pass') {
      file.pass += 1;
    } else if (data.todo === undefined || data.todo === false) {
      file.fail += 1;
      const cause = data.details?.error?.cause ?? data.details?.error;
      const error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      this.#failures.push({ name: data.name, file: short(data.file), error });
    }
  }

  #file(file) {
    const name = short(file);
    let entry = this.#files.get(name);
    if (entry === undefined) {
      entry = { pass: 0, fail: 0, ms: 0, skipped: [], output: [], printed: true };
      this.#files.set(name, entry);
    }
    return entry;
  }
}

const short = (file) => path.relative(inRoot('dist/test'), file);
const indent = (text) => text.trimEnd().replace(/^/gm, '  ');
