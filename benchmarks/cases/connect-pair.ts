import type { Program, RelayLink } from '../harness/index.js';
import type { PairMethods } from '../programs/pair-child.js';
import type { Description, PairKind } from '../programs/pairs/index.js';

/** Two programs that become the ends of one connection. */
export interface PairPrograms {
  /** Makes the offer. */
  readonly near: Program<PairMethods>;
  /** Answers it; sends back what comes on its echo channel. */
  readonly far: Program<PairMethods>;
}

/** Connects them, over `link` if there is one; resolves when the channels are open. */
export async function connectPair(
  kind: PairKind,
  { near, far }: PairPrograms,
  link: RelayLink | undefined,
): Promise<void> {
  const offer = await near.call('offer', { kind });
  const answer = await far.call('answer', { kind, offer: shown(link, 'a', offer) });
  await near.call('accept', shown(link, 'b', answer));
  await Promise.all([near.call('ready', { echoes: false }), far.call('ready', { echoes: true })]);
}

/** What `end` said, as the other end sees it over the relay. */
function shown(
  link: RelayLink | undefined,
  end: 'a' | 'b',
  { sdp, candidates }: Description,
): Description {
  if (link === undefined) return { sdp, candidates };
  return {
    sdp: link.signals.sdp(end, sdp),
    candidates: candidates
      .map((candidate) => link.signals.candidate(end, candidate))
      .filter((candidate) => candidate !== undefined),
  };
}
