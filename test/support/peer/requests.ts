import { HoldfastError } from '../../../src/shared/common/index.js';
import type { ControlRequests } from '../../../src/shared/common/peer-auth/index.js';

/** Answers of an agent that has no terminals, but for what `overrides` says. */
export function controlRequests(overrides: Partial<ControlRequests> = {}): ControlRequests {
  const refuse = (): Promise<never> =>
    Promise.reject(new HoldfastError('ERR_UNSUPPORTED', 'not in this test'));
  return {
    terminals: () => Promise.resolve([]),
    kill: () => Promise.resolve(),
    create: refuse,
    setIdle: refuse,
    wait: refuse,
    viewers: refuse,
    drop: refuse,
    ...overrides,
  };
}
