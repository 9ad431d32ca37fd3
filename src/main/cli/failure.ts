import type { HoldfastError } from '../../shared/common/index.js';
import { asHoldfastError, exitCodeOf } from './output/index.js';

const overrides = new WeakMap<HoldfastError, number>();

/**
 * Marks `error` so that the process ends with `status` whatever its code stands for elsewhere: ssh and
 * attach pass on remote statuses and need one of their own for failures of their own.
 */
export function withExitStatus(error: unknown, status: number): HoldfastError {
  const failure = asHoldfastError(error);
  overrides.set(failure, status);
  return failure;
}

/** The status that `failure` ends the process with. */
export function exitStatusOf(failure: HoldfastError): number {
  return overrides.get(failure) ?? exitCodeOf(failure.code);
}
