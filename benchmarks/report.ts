/** `npm run bench:report -- [FILE...]`: makes a page, and a table of goals, of results that were written before. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { goalsMarkdown, parseReport } from './harness/index.js';
import { mergeReports, page, type Source } from './page/index.js';

const RESULTS = path.resolve(import.meta.dirname, '../../benchmarks/results');
const HELP = `Usage: npm run bench:report -- [FILE...] [options]

Makes one page, without scripts and without anything from elsewhere, of results of \`npm run bench\`: of the
newest in benchmarks/results, or of the files named. Of a case that is in several the newest is shown.

  --html FILE      where the page goes (default: beside the last file, with .html)
  --markdown FILE  write the goals and how they went as a table of Markdown
  --help           this text`;

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      html: { type: 'string' },
      markdown: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    console.log(HELP);
    return;
  }
  const files = positionals.length === 0 ? [newest()] : positionals;
  const sources = files.map((file): Source => ({
    name: path.basename(file),
    report: parseReport(readFileSync(file, 'utf8')),
  }));
  const output = values.html ?? `${(files.at(-1) ?? '').replace(/\.json$/, '')}.html`;
  writeFileSync(output, page(sources));
  console.log(`page: ${path.relative(process.cwd(), output)}`);
  if (values.markdown === undefined) return;
  writeFileSync(values.markdown, goalsMarkdown(mergeReports(sources).map(({ last }) => last)));
  console.log(`goals: ${path.relative(process.cwd(), values.markdown)}`);
}

/** @throws {Error} there is none. */
function newest(): string {
  const names = existsSync(RESULTS)
    ? readdirSync(RESULTS).filter((name) => name.endsWith('.json'))
    : [];
  // They are named by their time.
  const last = names.sort().at(-1);
  if (last === undefined) throw new Error('no results yet; `npm run bench` makes some');
  return path.join(RESULTS, last);
}

try {
  main();
} catch (error) {
  console.error(`bench:report: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
