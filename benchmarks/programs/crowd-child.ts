/** Program: the run of `npm run proof:crowd`, for figures. */
import { crowdRun, type CrowdOptions, type CrowdRun } from '../../test/support/crowd-run.js';
import { createRandom } from '../../test/support/index.js';
import { serveProgram } from '../harness/index.js';

type CrowdParams = Omit<CrowdOptions, 'random'> & { readonly seed: number };

const methods = {
  run: async ({ seed, ...options }: CrowdParams): Promise<CrowdRun> =>
    await crowdRun({ ...options, random: createRandom(seed) }),
};

export type CrowdMethods = typeof methods;

serveProgram(methods, async () => undefined);
