/**
 * Whether a candidate hides its address behind a name of mDNS, as browsers do. Only its own network can
 * resolve it, and an engine would ask that of it with every check; the browser's other candidates do.
 */
export function isHidden(candidate: string): boolean {
  return /^(?:a=)?candidate:(?:\S+ ){4}\S+\.local /.test(candidate);
}
