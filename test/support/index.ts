/** What tests share: leak check, waiting, temp folders, programs, seeded randomness. */
export { checkLeaks, type LeakOptions } from './leaks.js';
export {
  findProgram,
  requireProgram,
  runProgram,
  startProgram,
  type ProgramOptions,
  type ProgramResult,
  type RunningProgram,
} from './programs.js';
export { createRandom, seededRandom, type SeededRandom } from './random.js';
export { tempDir } from './temp-dir.js';
export { waitFor, type WaitOptions } from './wait-for.js';
