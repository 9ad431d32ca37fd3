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
  const candidates = await near.call('accept', shown(link, 'b', answer));
  if (candidates.length > 0) {
    await far.call('addCandidates', { candidates: shownCandidates(link, 'a', candidates) });
  }
  await Promise.all([near.call('ready', { echoes: false }), far.call('ready', { echoes: true })]);
}

/** What `end` said, as the other end sees it over the relay. */
function shown(
  link: RelayLink | undefined,
  end: 'a' | 'b',
  { sdp, candidates }: Description,
): Description {
  return {
    sdp: link === undefined ? sdp : link.signals.sdp(end, sdp),
    candidates: shownCandidates(link, end, candidates),
  };
}

function shownCandidates(
  link: RelayLink | undefined,
  end: 'a' | 'b',
  candidates: readonly string[],
): readonly string[] {
  if (link === undefined) return candidates;
  return candidates
    .map((candidate) => link.signals.candidate(end, candidate))
    .filter((candidate) => candidate !== undefined);
}
