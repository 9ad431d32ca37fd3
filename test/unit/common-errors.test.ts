import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ERROR_CODES,
  fromErrorRecord,
  HoldfastError,
  isErrorCode,
  toErrorRecord,
  wrapError,
} from '../../src/shared/common/index.js';

test('errors - every code has a meaning and a hint that are sentences', () => {
  for (const [code, { meaning, hint }] of Object.entries(ERROR_CODES)) {
    assert.match(code, /^ERR_[A-Z_]+$/);
    assert.match(meaning, /^[A-Z].*\.$/, code);
    assert.match(hint, /^[A-Z].*\.$/, code);
  }
});

test('errors - carry code, hint and cause', () => {
  const cause = new Error('EACCES');
  const error = new HoldfastError('ERR_STATE_DIR', 'cannot write /x', { cause });
  assert.equal(error.name, 'HoldfastError');
  assert.equal(error.code, 'ERR_STATE_DIR');
  assert.equal(error.hint, ERROR_CODES.ERR_STATE_DIR.hint);
  assert.equal(error.cause, cause);
  assert.equal(new HoldfastError('ERR_SPAWN', 'x', { hint: 'better' }).hint, 'better');
});

test('errors - survive a thread as a record, without their cause', () => {
  const record = toErrorRecord(new HoldfastError('ERR_SPAWN', 'no', { cause: 'secret' }));
  assert.deepEqual(structuredClone(record), { code: 'ERR_SPAWN', message: 'no' });
  const back = fromErrorRecord(record);
  assert.equal(back.code, 'ERR_SPAWN');
  assert.equal(back.message, 'no');
});

test('errors - foreign ones become ERR_INTERNAL, unknown codes ERR_PROTOCOL', () => {
  assert.deepEqual(toErrorRecord(new TypeError('x')), { code: 'ERR_INTERNAL', message: 'x' });
  assert.deepEqual(toErrorRecord('text'), { code: 'ERR_INTERNAL', message: 'text' });
  const unknown = fromErrorRecord({ code: 'ERR_OF_TOMORROW', message: 'x' });
  assert.equal(unknown.code, 'ERR_PROTOCOL');
  assert.equal(unknown.message, 'ERR_OF_TOMORROW: x');
});

test('errors - names of Object.prototype are not codes', () => {
  for (const name of ['constructor', '__proto__', 'toString', '', 1, undefined]) {
    assert.equal(isErrorCode(name), false);
  }
  assert.equal(isErrorCode('ERR_FRAME'), true);
});

test('errors - wrapping names the step and keeps an error that has a code', () => {
  const coded = new HoldfastError('ERR_SPAWN', 'x');
  assert.equal(wrapError(coded, 'ERR_INTERNAL', 'step'), coded);
  const wrapped = wrapError(new Error('EIO'), 'ERR_SPAWN', 'start shell');
  assert.equal(wrapped.code, 'ERR_SPAWN');
  assert.equal(wrapped.message, 'start shell: EIO');
  assert.equal(wrapError('odd', 'ERR_SPAWN', 'step').message, 'step: odd');
});
