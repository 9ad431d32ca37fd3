import assert from 'node:assert/strict';

/** One line of the event stream of an asciicast v3. */
export type CastLine = readonly [interval: number, code: string, data: string];

export interface ReadCast {
  readonly header: {
    readonly version: 3;
    readonly term: { readonly cols: number; readonly rows: number; readonly type: string };
    readonly timestamp: number;
    readonly holdfast: {
      readonly terminal: string;
      readonly epoch: string;
      readonly offset: number;
    };
  };
  readonly events: readonly CastLine[];
  /** All output, byte for byte as the program wrote it. */
  readonly output: Buffer;
  readonly markers: readonly string[];
  readonly input: string;
  readonly durationS: number;
}

/**
 * Reads an asciicast v3 strictly by its specification (docs.asciinema.org/manual/asciicast/v3), and nothing
 * of ours but the comments that hold the bytes which are no text.
 */
export function readCast(file: Buffer): ReadCast {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(file);
  assert.ok(text.endsWith('\n'), 'the file ends in the middle of a line');
  const [first = '', ...lines] = text.slice(0, -1).split('\n');
  const header = JSON.parse(first) as ReadCast['header'];
  assert.equal(header.version, 3);
  assert.ok(Number.isInteger(header.term.cols) && header.term.cols > 0);
  assert.ok(Number.isInteger(header.term.rows) && header.term.rows > 0);
  assert.equal(typeof header.term.type, 'string');
  assert.ok(Number.isInteger(header.timestamp));
  const events: CastLine[] = [];
  const output: Buffer[] = [];
  let raw: Buffer | undefined;
  let isPicture = false;
  let exited = false;
  for (const line of lines) {
    assert.ok(!exited, 'something follows the exit');
    if (line.startsWith('#')) {
      const [, bytes] = /^# holdfast-bytes ([A-Za-z0-9_-]+)$/.exec(line) ?? [];
      isPicture ||= line === '# holdfast-picture';
      if (bytes !== undefined) raw = Buffer.from(bytes, 'base64url');
      continue;
    }
    assert.match(line, /^[\x20-\x7e\u00a0-\uffff]*$/, 'something does not print');
    const event = JSON.parse(line) as CastLine;
    assert.equal(event.length, 3);
    const [interval, code, data] = event;
    assert.ok(Number.isFinite(interval) && interval >= 0);
    assert.equal(typeof data, 'string');
    assert.match(code, /^[oirmx]$/);
    if (code === 'o' && !isPicture) output.push(raw ?? Buffer.from(data));
    if (code === 'r') assert.match(data, /^[1-9][0-9]*x[1-9][0-9]*$/);
    if (code === 'x') {
      assert.match(data, /^[0-9]+$/);
      exited = true;
    }
    raw = undefined;
    isPicture = false;
    events.push(event);
  }
  const of = (wanted: string): string[] =>
    events.filter(([, code]) => code === wanted).map(([, , data]) => data);
  return {
    header,
    events,
    output: Buffer.concat(output),
    markers: of('m'),
    input: of('i').join(''),
    durationS: events.reduce((sum, [interval]) => sum + interval, 0),
  };
}
