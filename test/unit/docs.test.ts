import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ERROR_CODES, limits } from '../../src/shared/common/index.js';
import { decodeLink } from '../../src/shared/common/data-channels/index.js';
import {
  FRAME,
  FrameDecoder,
  readOpen,
  readReason,
  readU32,
  type Frame,
} from '../../src/shared/common/framing/frames.js';
import {
  decodeAgentFrame,
  decodeClientFrame,
  peerTranscript,
} from '../../src/shared/common/wire/index.js';
import {
  anchors,
  code,
  codeRows,
  document,
  documents,
  fences,
  ROOT,
} from '../support/documents.js';
import { runProgram } from '../support/index.js';

const PATH_IN_CODE = /^(?:src|test|docs|scripts|benchmarks|examples|\.ci)\/[\w./*-]*$/;

test('documents - every path they mention exists', () => {
  for (const { name, text } of documents()) {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const found = file === '' ? name : path.join(path.dirname(name), file);
      assert.ok(existsSync(path.join(ROOT, found)), `${name} links to ${target}`);
      if (anchor !== undefined && found.endsWith('.md')) {
        assert.ok(anchors(document(found)).has(anchor), `${name} links to ${target}`);
      }
    }
    for (const span of code({ name, text }).flatMap((part) => part.split(/\s+/))) {
      if (!PATH_IN_CODE.test(span)) continue;
      const fixed = span.split('*')[0] ?? '';
      const folder = span.includes('*') ? path.dirname(`${fixed}x`) : fixed;
      assert.ok(existsSync(path.join(ROOT, folder)), `${name} mentions ${span}`);
    }
  }
});

test('documents - limits.md has every constant with its value and action', () => {
  const rows = new Map(
    codeRows(document('docs/limits.md')).map(([name = '', ...rest]) => [name, rest]),
  );
  const constants = Object.entries(limits).filter(([name]) => name !== 'KIB' && name !== 'MIB');
  for (const [name, value] of constants) {
    const row = rows.get(name);
    assert.ok(row !== undefined, `${name} is not in docs/limits.md`);
    assert.equal(readQuantity(row[0] ?? ''), value, `${name} in docs/limits.md`);
    assert.match(row[1] ?? '', /\.$/, `the action of ${name} in docs/limits.md`);
  }
  const known = new Set(constants.map(([name]) => name));
  for (const name of rows.keys()) assert.ok(known.has(name), `docs/limits.md invents ${name}`);
});

test('documents - errors.md has every code with its meaning and hint', () => {
  const expected = Object.entries(ERROR_CODES).map(([name, { meaning, hint }]) => [
    name,
    meaning,
    hint,
  ]);
  assert.deepEqual(codeRows(document('docs/errors.md')), expected);
});

test('documents - every code they mention exists', () => {
  for (const { name, text } of documents()) {
    for (const [errorCode] of text.matchAll(/\bERR_[A-Z_]+\b/g)) {
      assert.ok(Object.hasOwn(ERROR_CODES, errorCode), `${name} mentions ${errorCode}`);
    }
  }
});

test('documents - every npm script they mention exists', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const doc of documents()) {
    for (const part of code(doc)) {
      for (const [mention, name = ''] of part.matchAll(
        /\bnpm (?:run )?(start|test|(?<=run )[\w:-]+)/g,
      )) {
        assert.ok(Object.hasOwn(scripts, name), `${doc.name} mentions ${mention}`);
      }
    }
  }
});

test('documents - every command they mention exists', async (t) => {
  const catalogue = path.join(ROOT, 'dist/src/main/cli/catalogue.js');
  if (!existsSync(catalogue)) {
    t.skip('there is no command line yet');
    return;
  }
  const { COMMANDS } = (await import(pathToFileURL(catalogue).href)) as {
    COMMANDS: readonly { readonly name: string }[];
  };
  const known = new Set(['help', ...COMMANDS.map(({ name }) => name)]);
  for (const doc of documents()) {
    for (const part of code(doc)) {
      for (const [mention, name = ''] of part.matchAll(/(?:^|npx |\s)holdfast ([a-z][a-z-]*)/gm)) {
        assert.ok(known.has(name), `${doc.name} mentions ${mention.trim()}`);
      }
    }
  }
});

test('documents - the frames of protocol.md are those of the code', () => {
  let checked = 0;
  for (const { info, body } of fences(document('docs/protocol.md'))) {
    const lines = body.trim().split('\n');
    if (info === 'frame client' || info === 'frame agent') {
      const decode = info === 'frame client' ? decodeClientFrame : decodeAgentFrame;
      assert.deepEqual(plain(decode(fromHex(lines[0] ?? ''))), JSON.parse(lines[1] ?? ''));
      checked += 1;
    } else if (info === 'frames framed') {
      const hex = lines.filter((_, index) => index % 2 === 0);
      const said = lines
        .filter((_, index) => index % 2 === 1)
        .map((line): unknown => JSON.parse(line));
      const read: unknown[] = [];
      new FrameDecoder((frame) => read.push(describe(frame))).push(fromHex(hex.join('')));
      assert.deepEqual(read, said);
      checked += 1;
    } else if (info === 'frames link') {
      for (let index = 0; index < lines.length; index += 2)
        assert.deepEqual(
          decodeLink(fromHex(lines[index] ?? '')),
          JSON.parse(lines[index + 1] ?? ''),
        );
      checked += 1;
    } else if (info === 'transcript agent') {
      const [, , engine = '', workspace = '', ticketId = '', ...rest] = lines;
      const [clientNonce = '', agentNonce = '', clientFingerprint = ''] = rest;
      const [, , , agentFingerprint = '', exporter = ''] = rest;
      const fields = { engine, workspace, ticketId, clientNonce, agentNonce };
      const all = { ...fields, clientFingerprint, agentFingerprint, exporter };
      assert.equal(Buffer.from(peerTranscript('agent', all)).toString(), body.trimEnd());
      checked += 1;
    }
  }
  assert.equal(checked, 20);
});

test('documents - the examples marked as runnable run', async () => {
  const scratch = path.join(ROOT, 'test-output', `docs-${process.pid}`);
  mkdirSync(scratch, { recursive: true });
  try {
    for (const doc of documents()) {
      for (const [index, { info, body }] of fences(doc).entries()) {
        if (info !== 'js run' && info !== 'sh run') continue;
        // Inside the package, so that `import ... from 'holdfast'` finds it.
        const file = path.join(scratch, `${index}.${info === 'js run' ? 'mjs' : 'sh'}`);
        writeFileSync(file, body);
        const [program, args] =
          info === 'js run' ? [process.execPath, [file]] : ['bash', ['-eu', file]];
        const { status, stdout, stderr } = await runProgram(program, args, { cwd: ROOT });
        assert.equal(status, 0, `example ${index} of ${doc.name}:\n${stdout.toString()}${stderr}`);
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

/** `64 KiB` in bytes, `5 min` in milliseconds, and plain numbers. */
function readQuantity(text: string): number {
  const [amount = '', unit = ''] = text.split(' ');
  const factors: Record<string, number> = {
    '': 1,
    B: 1,
    KiB: 1024,
    MiB: 1024 ** 2,
    GiB: 1024 ** 3,
    ms: 1,
    s: 1_000,
    min: 60_000,
    h: 3_600_000,
    d: 86_400_000,
  };
  return Number(amount) * (factors[unit] ?? Number.NaN);
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

/** A frame as JSON shows it: bytes in hex, absent fields left out. */
function plain(frame: unknown): unknown {
  return JSON.parse(
    JSON.stringify(frame, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ),
  );
}

function describe({ type, channel, payload }: Frame): unknown {
  switch (type) {
    case FRAME.start:
      return { type: 'start' };
    case FRAME.open:
      return { type: 'open', channel, ...readOpen(payload) };
    case FRAME.credit:
      return { type: 'credit', channel, bytes: readU32(payload) };
    case FRAME.close:
      return { type: 'close', channel, error: readReason(payload) };
    default:
      return { type };
  }
}
