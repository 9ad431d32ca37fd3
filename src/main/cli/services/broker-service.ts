import { once, type Closable } from '../../../shared/common/index.js';
import type { BrokerSettings } from './types.js';

/** A broker with its log. */
export interface RunningBroker extends Closable {
  readonly url: string;
  readonly publicUrl: string;
  readonly port: number;
  readonly adminTokenFile: string;
  /** Resolves when it has ended. Never rejects. */
  readonly closed: Promise<void>;
}

/**
 * Starts a broker.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT, ERR_CONFIG, ERR_STATE_DIR, ERR_ALREADY_RUNNING,
 *   ERR_PORT_IN_USE.
 */
export async function runBroker(settings: BrokerSettings): Promise<RunningBroker> {
  // Loaded when one is to run: the broker's packages would slow every other start down.
  const [{ openProcessLog }, { startBroker }] = await Promise.all([
    import('../../../shared/node/log/index.js'),
    import('../../broker/index.js'),
  ]);
  const { stateDir, listen, tls, insecureListen, publicUrl, stun, turn, log } = settings;
  const logger = openProcessLog({
    level: log.level,
    fields: { part: 'broker' },
    ...(log.format === undefined ? {} : { format: log.format }),
  });
  try {
    const broker = await startBroker({
      stateDir,
      host: listen.host,
      port: listen.port,
      ...(tls === undefined ? {} : { tls }),
      allowInsecureListen: insecureListen,
      ...(publicUrl === undefined ? {} : { publicUrl }),
      stun,
      ...(turn === undefined ? {} : { turn }),
      logger,
    });
    const { url, port, adminTokenFile, closed } = broker;
    return {
      url,
      publicUrl: broker.publicUrl,
      port,
      adminTokenFile,
      closed,
      close: once(async () => {
        await broker.close();
        await logger.close();
      }),
    };
  } catch (error) {
    await logger.close();
    throw error;
  }
}
