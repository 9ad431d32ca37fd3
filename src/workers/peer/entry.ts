/**
 * Entry of a peer worker: what piscina loads on each thread. One task is one connection and stays pending
 * as long as the connection lives, so that a dead worker is known by its rejected tasks.
 */
import { toErrorRecord } from '../../shared/common/index.js';
import { preloadWerift, type PeerTask } from '../../shared/node/peer/index.js';
import { startBeating, workerSetup } from '../../shared/node/ports/index.js';
import { PeerHost } from './peer-host.js';

const setup = workerSetup();
const hosts = new Set<PeerHost>();

/** Long enough for the agent to have started, which should not wait for this. */
const PRELOAD_MS = 500;

startBeating();
guardAgainstStrayErrors();
// Without main nobody will offer a connection soon. A failure shows with the first one.
if (setup !== undefined) {
  setTimeout(() => {
    preloadWerift().catch(() => undefined);
  }, PRELOAD_MS).unref();
}

/** Serves one connection until it has ended. */
export default async function servePeer(task: PeerTask): Promise<void> {
  const host = new PeerHost(task, { faults: setup?.faults ?? false });
  hosts.add(host);
  try {
    await host.serve();
  } finally {
    hosts.delete(host);
  }
}

/**
 * A rejection that nobody took must not end the connections beside the one it came from. The engines catch
 * what a peer can provoke and end its connection; this is for what slips past them, which in werift is a
 * timer or a lookup that lost its connection. It is logged; a thrown error still ends the thread, since
 * nobody knows what it left half done.
 */
function guardAgainstStrayErrors(): void {
  process.on('unhandledRejection', (reason) => {
    const [any] = hosts;
    any?.log('error', 'unhandled rejection in a peer worker', { ...toErrorRecord(reason) });
  });
}
