import { createNativeOffer } from '../../../src/shared/node/peer/index.js';

/**
 * Starts the threads of libdatachannel, which then stay as long as the process. Before `checkLeaks`, which takes what
 * there is for its base. Their number is that of its own pool, whatever connections there are.
 */
export async function startNative(): Promise<void> {
  const offer = await createNativeOffer({ iceServers: [], onCandidate: () => undefined });
  offer.connection.catch(() => undefined);
  await offer.abandon();
}
