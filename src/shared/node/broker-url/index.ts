/** The address of a broker, as all who dial it read it. Any Node thread. */
import { HoldfastError } from '../../common/index.js';

/**
 * Scheme, host and port of a broker's http(s) address; a path is left out.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT if `text` is no such address.
 */
export function brokerOrigin(text: string): string {
  try {
    const url = new URL(text);
    if (/^https?:$/.test(url.protocol)) return url.origin;
  } catch {
    // Said below.
  }
  throw new HoldfastError('ERR_INVALID_ARGUMENT', 'the broker address must be http:// or https://');
}
