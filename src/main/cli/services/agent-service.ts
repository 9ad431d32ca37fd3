import { HoldfastError, type Closable } from '../../../shared/common/index.js';
import type { AgentSettings } from './types.js';

/**
 * Starts an agent; resolves before it has reached its broker.
 * @throws {HoldfastError} ERR_STATE_DIR, ERR_ALREADY_RUNNING, ERR_SHELL_NOT_FOUND, ERR_CONFIG.
 */
export async function runAgent(
  _settings: AgentSettings,
): Promise<Closable & { readonly closed: Promise<void> }> {
  await Promise.resolve();
  throw new HoldfastError('ERR_UNSUPPORTED', 'this build has no agent');
}
