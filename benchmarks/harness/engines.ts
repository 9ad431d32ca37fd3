import { packageVersion } from './tools.js';

/** What carries data channels. */
export type Engine = 'werift' | 'native';

export const ENGINES: readonly Engine[] = ['werift', 'native'];

/** Why an engine of Holdfast cannot be measured. Absent: it can. */
export async function missingEngine(engine: Engine): Promise<string | undefined> {
  if (engine === 'werift') return undefined;
  if (packageVersion('node-datachannel') === undefined) return 'node-datachannel is not installed';
  const peer: object = await import('../../src/shared/node/peer/index.js');
  return 'createNativeOffer' in peer ? undefined : 'this version has no native engine';
}
