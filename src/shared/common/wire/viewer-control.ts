import type { ViewerId } from '../ids.js';
import { parseObject, wholeNumber } from './untrusted.js';
import { viewerId } from './presence.js';

/**
 * What a viewer asks of a terminal that it shares with others. All but `request-control` and `latency`
 * need the right to type, `drop` needs the owner; what is refused is told by an event and ends nothing.
 */
export type ViewerControl =
  /** The terminal takes this viewer's size, and no other, until it releases it or leaves. */
  | { readonly type: 'claim-size' }
  | { readonly type: 'release-size' }
  /** Tells those who may type that this viewer would like to. */
  | { readonly type: 'request-control' }
  /** From now on only `viewer` types; its own number to take control. */
  | { readonly type: 'hand-over'; readonly viewer: ViewerId }
  /** Everybody who may type does again. */
  | { readonly type: 'release-control' }
  | { readonly type: 'drop'; readonly viewer: ViewerId }
  /** `ms`: the round trip measured last. `probe`: to be answered by an event with the same number. */
  | {
      readonly type: 'latency';
      readonly ms?: number | undefined;
      readonly probe?: number | undefined;
    };

/** What the text of a `control` frame asks for. Absent: nothing that this version knows. */
export function parseViewerControl(json: string): ViewerControl | undefined {
  const value = parseObject(json);
  if (value === undefined) return undefined;
  const viewer = viewerId(value['viewer']);
  switch (value['type']) {
    case 'claim-size':
    case 'release-size':
    case 'request-control':
    case 'release-control':
      return { type: value['type'] };
    case 'hand-over':
    case 'drop':
      return viewer === undefined ? undefined : { type: value['type'], viewer };
    case 'latency': {
      const ms = wholeNumber(value['ms']);
      const probe = wholeNumber(value['probe']);
      return {
        type: 'latency',
        ...(ms === undefined ? {} : { ms }),
        ...(probe === undefined ? {} : { probe }),
      };
    }
    default:
      return undefined;
  }
}
