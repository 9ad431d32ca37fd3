/** Ends an exhaustive `switch`: a new variant of the union stops compiling here. */
export function assertNever(value: never): never {
  throw new Error(`unreachable variant: ${JSON.stringify(value)}`);
}
