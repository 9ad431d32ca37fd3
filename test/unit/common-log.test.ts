import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, HoldfastError, type LogRecord } from '../../src/shared/common/index.js';

function collect(): { records: LogRecord[]; logger: ReturnType<typeof createLogger> } {
  const records: LogRecord[] = [];
  return { records, logger: createLogger((record) => records.push(record)) };
}

test('log - a child adds its fields, and the call the last word', () => {
  const { records, logger } = collect();
  logger.child({ terminal: 'a', peer: 1 }).warn('input refused', { peer: 2 });
  logger.debug('plain');
  assert.deepEqual(records, [
    { level: 'warn', message: 'input refused', fields: { terminal: 'a', peer: 2 } },
    { level: 'debug', message: 'plain', fields: {} },
  ]);
});

test('log - errors keep their code, and every record can cross a thread', () => {
  const { records, logger } = collect();
  logger.error('failed', {
    err: new HoldfastError('ERR_SPAWN', 'no memory'),
    other: new TypeError('odd'),
    system: Object.assign(new Error('open'), { code: 'ENOENT' }),
    bytes: 12n,
  });
  assert.deepEqual(structuredClone(records[0])?.fields, {
    err: 'ERR_SPAWN: no memory',
    other: 'odd',
    system: 'ENOENT: open',
    bytes: 12,
  });
});
