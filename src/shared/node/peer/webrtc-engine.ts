import { assertNever } from '../../common/index.js';
import { createNativeOffer, isNativeAvailable, loadNative } from './native/index.js';
import type { PeerOffer, WebRtcOptions } from './types.js';
import { createWeriftOffer } from './werift/index.js';

/** The engines for WebRTC. */
export type WebRtcEngine = 'werift' | 'native';

/** Which engine is wanted. `auto`: `native` where it can be loaded, else `werift`. */
export type WebRtcChoice = WebRtcEngine | 'auto';

/** @throws {HoldfastError} ERR_ENGINE_UNAVAILABLE if `native` is wanted and cannot be loaded. */
export async function chooseWebRtcEngine(choice: WebRtcChoice): Promise<WebRtcEngine> {
  switch (choice) {
    case 'werift':
      return 'werift';
    case 'native':
      await loadNative();
      return 'native';
    case 'auto':
      return (await isNativeAvailable()) ? 'native' : 'werift';
    default:
      return assertNever(choice);
  }
}

/** Makes an offer by `engine`; this end becomes the client. Runs on a main thread. */
export async function createWebRtcOffer(
  engine: WebRtcEngine,
  options: WebRtcOptions,
): Promise<PeerOffer> {
  return await (engine === 'native' ? createNativeOffer : createWeriftOffer)(options);
}
