import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  alternate,
  atScale,
  compare,
  compileC,
  flowFigures,
  Program,
  withCosts,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Comparison,
  type Flow,
  type Ratio,
  type Row,
  type Subject,
} from '../harness/index.js';
import type { ClientMethods } from '../programs/client-child.js';
import {
  ABDUCO,
  BARE,
  DTACH,
  HOLDFAST_SSH,
  OPENSSH,
  prepareUnattended,
  prepareWays,
  SCREEN,
  TMUX,
  TMUX_CONTROL,
  TRACKED,
  UNTRACKED,
  type UnattendedWay,
  type Way,
} from '../ways/index.js';
import { holdProgram } from './held-program.js';
import { COLOURS, textInput, UTF8, ZEROS, zeros, type Input } from './inputs.js';

const MIB = 2 ** 20;
const CLIENT = new URL('../programs/client-child.js', import.meta.url);
const C_READER = 'bare reader in C';
const NOBODY = 'nobody attached';
/** They parse what they are given: NULs are nothing to them, and a second kind of text says nothing new. */
const ONLY_COLOURS: ReadonlySet<string> = new Set([TMUX, TMUX_CONTROL, SCREEN]);
const NOT_UTF8: ReadonlySet<string> = new Set([...ONLY_COLOURS, DTACH, ABDUCO]);

/** One terminal that prints as fast as it can, to one viewer on this machine, or to nobody. */
export const throughput: BenchCase = {
  name: 'throughput',
  summary:
    'W3: MB/s of one terminal, to one local viewer and to nobody, beside bare readers, OpenSSH, dtach, abduco, tmux, screen',
  minutes: 3,
  run: runThroughput,
};

interface Measured extends Flow {
  /** Of what was printed; absent: nobody can say. */
  readonly lostShare: number | undefined;
}

async function runThroughput(context: CaseContext): Promise<CaseResult> {
  const { scale } = context;
  const mebibytes = atScale(context, { tiny: 2, small: 16, normal: 64 });
  const texts = atScale(context, { tiny: 2, small: 8, normal: 32 });
  const inputs = [zeros(mebibytes * MIB)];
  if (scale !== 'small') {
    inputs.push(textInput(context, COLOURS, texts * MIB), textInput(context, UTF8, texts * MIB));
  }
  const rows: Row[] = [];
  const { ways, skipped } = await prepareWays(context);
  const reader = cReader(context);
  for (const input of inputs) {
    const chosen = ways.filter(({ name }) => isWorth(name, input.name));
    const subjects = chosen.map((way) => attachedSubject(context, way, input));
    if (typeof reader === 'function') {
      subjects.push({ name: C_READER, measure: () => reader(input) });
    }
    const results = await alternate(subjects, context, `throughput ${input.name}`);
    for (const { name } of subjects) {
      const way = ways.find((each) => each.name === name);
      rows.push(toRow(input.name, name, way, results.get(name) ?? []));
    }
    const missing = [...skipped, ...(typeof reader === 'string' ? [[C_READER, reader]] : [])];
    for (const [subject = '', reason] of missing) {
      if (isWorth(subject, input.name)) {
        rows.push({ group: input.name, subject, figures: [], skipped: reason });
      }
    }
  }
  if (scale !== 'small') rows.push(...(await runUnattended(context, inputs)));
  return {
    settings: { 'MiB of zeros': mebibytes, 'MiB of text': texts, runs: context.runs },
    rows,
    ratios: [...inputs.flatMap(({ name }) => attachedRatios(name, rows)), ...nobodyRatios(rows)],
    notes: [
      'server CPU includes the shell and the program that prints; the bare readers are server and client in one',
      `${TMUX} and screen are sent redraws of the screen, so their rate is that of the program, and not what a viewer gets`,
      `${NOBODY}: from the start of the program to its end; what it prints is read and kept as each of them does`,
    ],
  };
}

function isWorth(way: string, input: string): boolean {
  if (input === ZEROS) return !ONLY_COLOURS.has(way);
  return input === UTF8 ? !NOT_UTF8.has(way) : true;
}

function attachedSubject(context: CaseContext, way: Way, input: Input): Subject<Measured> {
  const client = new Program<ClientMethods>(CLIENT);
  context.defer(() => client.stop());
  return { name: way.name, measure: () => measure(way, input, client) };
}

async function measure(way: Way, input: Input, client: Program<ClientMethods>): Promise<Measured> {
  const { spec, servers, close } = await way.open();
  try {
    await client.call('open', spec);
    await client.call('prepareFlood', { producer: input.producer });
    const redraws = way.delivers === 'redraws';
    // Nothing but the producer ends meanwhile, and the shell has waited for that one.
    const sides = way.isClientOnly
      ? { server: [client.pid], client: [] }
      : { server: servers, client: [client.pid] };
    const { result, ...costs } = await withCosts(sides, () =>
      client.call('flood', { bytes: input.bytes, redraws }),
    );
    if (result.received !== input.bytes && way.delivers === 'all') {
      throw new Error(
        `${way.name}: ${String(result.received)} of ${String(input.bytes)} bytes arrived`,
      );
    }
    return {
      ...costs,
      bytes: redraws ? input.bytes : result.received,
      flowSeconds: result.milliseconds / 1e3,
      lostShare: way.delivers === 'some' ? (1 - result.received / input.bytes) * 100 : undefined,
    };
  } finally {
    await client.call('close', {});
    await close();
  }
}

/** A function that runs the reader in C, which measures by itself, or why there is none. */
function cReader({ scratch }: CaseContext): ((input: Input) => Promise<Measured>) | string {
  const compiled = compileC(scratch, 'programs/pty-reader.c');
  if (typeof compiled === 'string') return compiled;
  return async ({ producer, bytes }) => {
    const command = `stty raw -echo; printf @; head -c1 >/dev/null; ${producer}`;
    const child = spawn(compiled.file, [String(bytes), command], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const [status] = (await once(child, 'close')) as [number | null];
    const [received = 0, nanoseconds = 0, microseconds = 0] = output.split(' ').map(Number);
    if (status !== 0 || received !== bytes) {
      throw new Error(`${C_READER}: ${String(received)} of ${String(bytes)} bytes arrived`);
    }
    const seconds = nanoseconds / 1e9;
    return {
      ...{ bytes, seconds, serverCpuSeconds: microseconds / 1e6 },
      ...{ clientCpuSeconds: 0, serverPssMiB: 0, lostShare: undefined },
    };
  };
}

async function runUnattended(context: CaseContext, inputs: readonly Input[]): Promise<Row[]> {
  const ways = await prepareUnattended(context);
  const rows: Row[] = [];
  for (const input of inputs.filter(({ name }) => name !== UTF8)) {
    const group = `${NOBODY}, ${input.name}`;
    const subjects = ways
      .filter(({ missing }) => missing === undefined)
      .map((way) => ({ name: way.name, measure: () => measureUnattended(context, way, input) }));
    const results = await alternate(subjects, context, group);
    for (const { name, missing } of ways) {
      rows.push({
        group,
        subject: name,
        figures: flowFigures(results.get(name) ?? []).filter(
          ({ name: figure, samples }) => figure !== 'client CPU' && samples.length > 0,
        ),
        skipped: missing,
      });
    }
  }
  return rows;
}

async function measureUnattended(
  { scratch }: CaseContext,
  way: UnattendedWay,
  input: Input,
): Promise<Flow> {
  const program = await holdProgram(scratch, input.producer, { stays: true });
  const terminal = await way.start(program.command);
  try {
    const { result, ...costs } = await withCosts(
      { server: terminal.servers, client: [] },
      async () => {
        await program.go();
        await program.done();
        return input.bytes;
      },
    );
    return { ...costs, bytes: result };
  } finally {
    await terminal.stop();
    await program.dispose();
  }
}

function toRow(
  group: string,
  subject: string,
  way: Way | undefined,
  runs: readonly Measured[],
): Row {
  const isAlone = way === undefined || way.isClientOnly;
  const figures = flowFigures(runs).filter(
    ({ name }) =>
      !(isAlone && name === 'client CPU') && !(way === undefined && name === 'server PSS'),
  );
  const lost = runs.map(({ lostShare }) => lostShare).filter((share) => share !== undefined);
  if (lost.length > 0) figures.push({ name: 'lost', unit: '%', samples: lost });
  return { group, subject, figures };
}

function attachedRatios(group: string, rows: readonly Row[]): Ratio[] {
  const ratio = (
    ours: string,
    base: string,
    more: Pick<Comparison, 'against' | 'goal' | 'figure'>,
  ): Ratio[] => compare(rows, { group, ours, base, ...more });
  return [
    ...ratio(TRACKED, BARE, { against: 'others', goal: { min: 0.9 } }),
    ...ratio(TRACKED, C_READER, { against: 'others' }),
    ...ratio(TRACKED, UNTRACKED, { against: 'ours' }),
    ...ratio(TRACKED, OPENSSH, { against: 'others', goal: { min: 1 } }),
    ...ratio(TRACKED, DTACH, { against: 'others', goal: { min: 1 } }),
    ...[ABDUCO, TMUX_CONTROL, TMUX, SCREEN].flatMap((base) =>
      ratio(TRACKED, base, { against: 'others' }),
    ),
    ...ratio(HOLDFAST_SSH, OPENSSH, { against: 'others' }),
    ...ratio(TRACKED, BARE, { against: 'others', figure: 'server CPU s/GB' }),
  ];
}

function nobodyRatios(rows: readonly Row[]): Ratio[] {
  return [ZEROS, COLOURS].flatMap((input) =>
    ['dtach', 'abduco', 'tmux', 'screen'].flatMap((base) =>
      compare(rows, { group: `${NOBODY}, ${input}`, ours: 'holdfast', base, against: 'others' }),
    ),
  );
}
