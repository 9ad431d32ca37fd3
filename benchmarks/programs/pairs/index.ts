/** The two ends of a WebRTC connection, each for a process of its own, of every kind that is compared. */
import { bareNative } from './bare-native.js';
import { bareWerift } from './bare-werift.js';
import { holdfastEngine } from './holdfast-engine.js';
import type { PairKind, PairMaker } from './types.js';

export {
  MESSAGE_BYTES,
  type Description,
  type PairChannels,
  type PairEnd,
  type PairKind,
} from './types.js';

export function pairMaker(kind: PairKind): PairMaker {
  switch (kind) {
    case 'bare werift':
      return bareWerift;
    case 'bare node-datachannel':
      return bareNative;
    case 'werift engine':
      return holdfastEngine('Werift');
    case 'native engine':
      return holdfastEngine('Native');
  }
}
