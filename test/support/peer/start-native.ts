import { createNativeOffer } from '../../../src/shared/node/peer/index.js';
import { threadNames } from '../thread-names.js';
import { waitFor } from '../wait-for.js';

/** The last threads of the library to start. */
const LATE_THREADS = ['RTC poll', 'SCTP iterator'];

/**
 * Starts the threads of libdatachannel, which then stay as long as the process. Before `checkLeaks`, which takes what
 * there is for its base. Their number is that of its own pool, whatever connections there are.
 */
export async function startNative(): Promise<void> {
  const offer = await createNativeOffer({ iceServers: [], onCandidate: () => undefined });
  offer.connection.catch(() => undefined);
  await offer.abandon();
  if (process.platform !== 'linux') return;
  await waitFor(() => LATE_THREADS.every((name) => threadNames().includes(name)), {
    what: 'the threads of libdatachannel',
  });
}
