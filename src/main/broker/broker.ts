import { deferred, limits, once, sleep, type Closable } from '../../shared/common/index.js';
import { loadOrCreateIdentity, lockStateDir, openStateDir } from '../../shared/node/state/index.js';
import { ensureAdminToken } from './admin-token.js';
import type { ApiContext } from './api/index.js';
import { AuditTrail } from './audit.js';
import { Authenticator, FailureLimit, Sites, TicketIssuer, UsedOnce } from './auth/index.js';
import { relayDoor, signallingDoor, type DoorsOptions } from './doors.js';
import { Metrics } from './metrics.js';
import { resolveOptions, type ResolvedBrokerOptions } from './options.js';
import { RELAY_PATH, Relays } from './relay/index.js';
import { createServer, listen } from './server.js';
import { Hub, IceServers, Upgrades } from './signalling/index.js';
import { openLmdbStore, type Store } from './store/index.js';
import type { Broker, BrokerOptions } from './types.js';

/** For sockets that were told to close to do so. */
const CLOSE_GRACE_MS = 500;
/** Name in `iss` of a broker that has no public address. */
const ISSUER = 'holdfast-broker';

/**
 * Starts a broker; it answers requests when this resolves.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT, ERR_CONFIG, ERR_STATE_DIR, ERR_ALREADY_RUNNING,
 *   ERR_PORT_IN_USE. Nothing is left open then.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const resolved = await resolveOptions(options);
  const stateDir = await openStateDir(resolved.stateDir);
  const opened: Closable[] = [];
  try {
    opened.push(await lockStateDir(stateDir));
    const store = options.store ?? openLmdbStore(stateDir);
    opened.push(store);
    return await run(resolved, stateDir, store, opened);
  } catch (error) {
    for (const part of opened.reverse()) await part.close();
    throw error;
  }
}

/** Adds what it opens to `opened`, in the order of opening. */
async function run(
  resolved: ResolvedBrokerOptions,
  stateDir: string,
  store: Store,
  opened: Closable[],
): Promise<Broker> {
  const { logger, publicUrl, scheme, host } = resolved;
  const identity = await loadOrCreateIdentity(stateDir, 'issuer');
  const adminTokenFile = await ensureAdminToken(stateDir, store);
  const hub = new Hub();
  const relays: Relays = new Relays((totals) => {
    metrics.relayEnded(totals);
  });
  const metrics = new Metrics(hub, relays);
  const context: ApiContext = {
    store,
    audit: new AuditTrail(store, logger),
    authenticator: new Authenticator(store, new FailureLimit()),
    issuer: await TicketIssuer.create(identity, publicUrl ?? ISSUER),
    hub,
    relays,
    publicUrl,
    logger,
  };
  const sites = new Sites({ scheme, host, publicUrl });
  const app = await createServer({ resolved, context, sites, metrics, logger });
  opened.push({ close: () => app.close() });
  const doors: DoorsOptions = {
    context,
    ice: new IceServers(resolved.ice),
    usedTickets: new UsedOnce(limits.TICKET_MS + limits.TICKET_SKEW_MS),
    logger,
  };
  const upgrades = new Upgrades({
    server: app.server,
    sites,
    signalling: signallingDoor(doors),
    relay: relayDoor(doors),
    isRelay: (path) => path.startsWith(RELAY_PATH),
    onRefused: (code) => {
      metrics.refused(code);
    },
    logger,
  });
  const { port, url } = await listen(app, resolved);
  logger.info('broker listens', { url, publicUrl });
  const ended = deferred<void>();
  return {
    url,
    publicUrl: publicUrl ?? url,
    port,
    issuerKey: context.issuer.key,
    adminTokenFile,
    closed: ended.promise,
    close: once(async () => {
      upgrades.close();
      hub.shutdown();
      relays.shutdown();
      const grace = new AbortController();
      const waited = sleep(CLOSE_GRACE_MS, grace.signal).catch(() => undefined);
      await Promise.race([upgrades.emptied(), waited]);
      grace.abort();
      upgrades.destroyAll();
      await app.close();
      await context.audit.settled();
      for (const part of opened.reverse()) await part.close();
      logger.info('broker closed');
      ended.resolve();
    }),
  };
}
