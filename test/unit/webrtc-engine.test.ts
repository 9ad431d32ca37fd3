import assert from 'node:assert/strict';
import { register } from 'node:module';
import { test } from 'node:test';
import { chooseWebRtcEngine, isNativeAvailable } from '../../src/shared/node/peer/index.js';
import { checkLeaks } from '../support/index.js';

/** Makes this process one in which the optional package was not installed. */
const WITHOUT_PACKAGE = `
  export async function resolve(specifier, context, next) {
    if (specifier !== 'node-datachannel') return next(specifier, context);
    throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  }
`;
register(`data:text/javascript,${encodeURIComponent(WITHOUT_PACKAGE)}`);
checkLeaks();

test('webrtc engine - without the package auto is werift, and native says what is missing', async () => {
  assert.equal(await isNativeAvailable(), false);
  assert.equal(await chooseWebRtcEngine('auto'), 'werift');
  assert.equal(await chooseWebRtcEngine('werift'), 'werift');
  await assert.rejects(chooseWebRtcEngine('native'), (error: { code: string; hint: string }) => {
    assert.equal(error.code, 'ERR_ENGINE_UNAVAILABLE');
    assert.match(error.hint, /npm install node-datachannel|--webrtc auto/);
    return true;
  });
});
