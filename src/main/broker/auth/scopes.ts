import { HoldfastError } from '../../../shared/common/index.js';
import { scopeSchema } from '../../../shared/common/wire/index.js';

/** Whether `held` includes everything that `wanted` allows. */
export function covers(held: string, wanted: string): boolean {
  if (held === 'owner' || held === wanted) return true;
  const [heldKind, heldId, heldAccess] = held.split(':');
  const [wantedKind, wantedId, wantedAccess] = wanted.split(':');
  return (
    heldKind === 'terminal' &&
    wantedKind === 'terminal' &&
    (heldId === '*' || heldId === wantedId) &&
    (heldAccess === 'type' || heldAccess === wantedAccess)
  );
}

/**
 * The scopes of a ticket: `wanted` if `held` covers them all, or all of `held`.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT for what is no scope, ERR_FORBIDDEN for what is not held.
 */
export function narrowScopes(
  held: readonly string[],
  wanted: readonly string[] | undefined,
): string[] {
  if (wanted === undefined || wanted.length === 0) return [...held];
  for (const scope of wanted) {
    if (!scopeSchema.safeParse(scope).success)
      throw new HoldfastError(
        'ERR_INVALID_ARGUMENT',
        `not a scope: ${JSON.stringify(scope.slice(0, 96))}`,
      );
    if (!held.some((one) => covers(one, scope)))
      throw new HoldfastError('ERR_FORBIDDEN', `the token does not allow ${scope}`);
  }
  return [...new Set(wanted)];
}
