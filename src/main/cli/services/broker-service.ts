import { HoldfastError, type Closable } from '../../../shared/common/index.js';
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

/** Starts a broker. @throws {HoldfastError} ERR_PORT_IN_USE, ERR_STATE_DIR, ERR_ALREADY_RUNNING, ERR_CONFIG. */
export async function runBroker(_settings: BrokerSettings): Promise<RunningBroker> {
  await Promise.resolve();
  throw new HoldfastError('ERR_UNSUPPORTED', 'this build has no broker');
}
