import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { HoldfastError, limits } from '../../src/shared/common/index.js';
import { openProcessLog, type ProcessLogOptions } from '../../src/shared/node/log/index.js';

class Sink extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function written(
  use: (log: ReturnType<typeof openProcessLog>) => void,
  options: ProcessLogOptions = {},
): Promise<string> {
  const stream = new Sink();
  const log = openProcessLog({ format: 'json', stream, ...options });
  use(log);
  await log.close();
  return stream.text;
}

describe('process log', () => {
  test('log - writes one JSON object a line with the fields of every child', async () => {
    const text = await written(
      (log) => {
        log.info('peer connected', { bytes: 5n, at: new Date(0) });
        log
          .child({ terminalId: 't' })
          .warn('slow', { error: new HoldfastError('ERR_CLOSED', 'x') });
      },
      { fields: { process: 'agent' } },
    );
    const [first, second] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    const { time, ...rest } = first as { time: string };
    assert.match(time, /^\d{4}-.*Z$/);
    assert.deepEqual(rest, {
      level: 'info',
      message: 'peer connected',
      process: 'agent',
      bytes: 5,
      at: '1970-01-01T00:00:00.000Z',
    });
    assert.deepEqual(
      { ...second, time: '' },
      {
        time: '',
        level: 'warn',
        message: 'slow',
        process: 'agent',
        terminalId: 't',
        error: 'ERR_CLOSED: x',
      },
    );
  });

  test('log - a disabled level writes nothing and is an empty function, in children too', async () => {
    const text = await written((log) => {
      log.debug('no');
      const child = log.child({ a: 1 }).child({ b: 2 });
      child.debug('no');
      assert.equal(child.debug.length, 0);
      log.write({ level: 'debug', message: 'no', fields: {} });
      assert.equal(log.enabled('debug'), false);
      assert.equal(log.enabled('warn'), true);
    });
    assert.equal(text, '');
    assert.match(
      await written(
        (log) => {
          log.debug('yes');
        },
        { level: 'debug' },
      ),
      /yes/,
    );
  });

  test('log - hostile text can neither start a line nor reach the terminal', async () => {
    const hostile = [
      'a\nb',
      'a\r\n{"level":"error"}',
      '\x1b]0;title\x07',
      '\x1b[2J',
      '\u009b31m',
      '\x00\x7f',
      '\u2028\u2029',
      '\u202eevil',
      '\u2066x',
      '\ud800',
      '"}',
      '\\',
      '%s %o',
      '${x}',
    ];
    for (const format of ['json', 'human'] as const) {
      const text = await written(
        (log) => {
          for (const evil of hostile) {
            log.info(evil, { [evil]: evil, nested: { list: [evil] }, error: new Error(evil) });
          }
        },
        { format },
      );
      assert.equal(text.split('\n').length, hostile.length + 1, format);

      assert.doesNotMatch(
        text.replaceAll('\n', ''),
        /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/,
      );
      if (format === 'json') for (const line of text.trim().split('\n')) JSON.parse(line);
    }
  });

  test('log - secrets go out by name and by look, whatever the depth', async () => {
    const canary = 'canary-7f3a';
    const token = `hf_user_${'A'.repeat(43)}`;
    const text = await written((log) => {
      log.info(`dial with ${token}`, {
        token: canary,
        agentToken: canary,
        Authorization: canary,
        peer: {
          privateKey: canary,
          ticket: canary,
          deep: [{ environment_variables: { A: canary } }],
        },
        url: `http://h/#token=${token}`,
        jwt: 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl',
        bytes: Buffer.from(canary),
        tokenId: 'kept',
        publicKey: 'kept too',
      });
    });
    assert.ok(!text.includes(canary));
    assert.ok(!text.includes('AAAAAAAA'));
    assert.ok(!text.includes('c2lnbmF0dXJl'));
    assert.match(text, /"tokenId":"kept".*"publicKey":"kept too"/);
  });

  test('log - caps long fields, wide and deep ones, and never lets a field pass for the level', async () => {
    const text = await written((log) => {
      const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${String(i)}`, i]));
      const cycle: Record<string, unknown> = {};
      cycle['self'] = cycle;
      log.info('x'.repeat(10_000), { long: 'y'.repeat(1e6), wide, cycle, level: 'error', time: 0 });
      log.info('proto', JSON.parse('{"__proto__":{"a":1}}') as Record<string, unknown>);
    });
    assert.ok(text.length < 3_000, String(text.length));
    assert.match(text, /"level":"info".*"field_level":"error"/);
  });

  test('log - drops and counts what a stuck reader does not take', async () => {
    let release: (() => void) | undefined;
    let lines = 0;
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines += chunk.toString().split('\n').length - 1;
        if (release === undefined) release = done;
        else done();
      },
    });
    const log = openProcessLog({ stream, format: 'json' });
    const total = 20_000;
    for (let i = 0; i < total; i += 1) log.info('flood', { text: 'z'.repeat(200) });
    await new Promise(setImmediate);
    for (let i = 0; i < total; i += 1) log.info('flood', { text: 'z'.repeat(200) });
    assert.ok(stream.writableLength < limits.LOG_PENDING_BYTES * 2, String(stream.writableLength));
    release?.();
    await log.flush();
    log.info('after');
    await log.close();
    assert.ok(lines < total, String(lines));
  });

  test('log - survives a stream that breaks', async () => {
    const stream = new Writable({
      write: (_c, _e, done) => {
        done(new Error('EPIPE'));
      },
    });
    const log = openProcessLog({ stream, format: 'json' });
    log.info('one');
    await new Promise(setImmediate);
    log.info('two');
    await log.close();
  });
});
