/** What `npm run bench:quick` holds results to. */
export {
  checkRatios,
  parseBaselines,
  updateBaselines,
  WATCHED,
  type Baseline,
  type Baselines,
  type Check,
} from './baselines.js';
