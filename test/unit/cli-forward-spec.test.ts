import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatEnd, parseForward } from '../../src/main/client/index.js';

const tcp = (host: string, port: number) => ({ kind: 'tcp', host, port });
const unix = (path: string) => ({ kind: 'unix', path });

test('forward spec - reads what ssh reads', () => {
  const table = [
    ['8080:localhost:80', tcp('localhost', 8080), tcp('localhost', 80)],
    ['0:db:5432', tcp('localhost', 0), tcp('db', 5432)],
    ['127.0.0.1:1:h:2', tcp('127.0.0.1', 1), tcp('h', 2)],
    [':1:h:2', tcp('', 1), tcp('h', 2)],
    ['*:1:h:2', tcp('', 1), tcp('h', 2)],
    ['[::1]:1:[::2]:2', tcp('::1', 1), tcp('::2', 2)],
    ['1:[fe80::1%eth0]:2', tcp('localhost', 1), tcp('fe80::1%eth0', 2)],
    ['1:/run/x.sock', tcp('localhost', 1), unix('/run/x.sock')],
    ['h:1:/run/x', tcp('h', 1), unix('/run/x')],
    ['/tmp/a:/run/x', unix('/tmp/a'), unix('/run/x')],
    ['./a:h:2', unix('./a'), tcp('h', 2)],
  ] as const;
  for (const [text, listen, connect] of table) {
    for (const direction of ['local', 'remote'] as const) {
      assert.deepEqual(parseForward(direction, text), { direction, listen, connect }, text);
    }
  }
});

test('forward spec - refuses the rest, naming the option', () => {
  const bad = [
    '',
    '8080',
    '8080:h',
    '8080:h:0',
    '65536:h:1',
    '-1:h:1',
    'x:h:1',
    '1::2',
    '1:[::1:2',
    '[::1]x:1:h:2',
    'a:b:c:d:e',
    '::1:1:h:2',
    '1:h:2 ',
    '1e3:h:1',
  ];
  for (const text of bad) {
    assert.throws(
      () => parseForward('remote', text),
      { code: 'ERR_INVALID_ARGUMENT', message: /^-R / },
      text,
    );
  }
});

test('forward spec - never throws anything but its own error', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      try {
        parseForward('local', text);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ERR_INVALID_ARGUMENT');
      }
    }),
  );
});

test('forward spec - what is printed can be read again', () => {
  const host = fc.constantFrom('localhost', '::1', 'a.b', '10.0.0.1', 'fe80::1%lo');
  const port = fc.integer({ min: 1, max: 65_535 });
  fc.assert(
    fc.property(host, port, host, port, (from, fromPort, to, toPort) => {
      const listen = { kind: 'tcp', host: from, port: fromPort } as const;
      const connect = { kind: 'tcp', host: to, port: toPort } as const;
      const text = `${formatEnd(listen)}:${formatEnd(connect)}`;
      assert.deepEqual(parseForward('local', text), { direction: 'local', listen, connect });
    }),
  );
});
