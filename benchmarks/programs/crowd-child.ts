/** Program: the run of `npm run proof:crowd`, for figures. */
import { crowdRun, type CrowdOptions, type CrowdRun } from '../../test/support/crowd-run.js';
import { seededRandom } from '../../test/support/index.js';
import { serveProgram } from '../harness/index.js';

const methods = {
  run: async (options: Omit<CrowdOptions, 'random'>): Promise<CrowdRun> =>
    await crowdRun({ ...options, random: seededRandom() }),
};

export type CrowdMethods = typeof methods;

serveProgram(methods, async () => undefined);
