/** Makes a page of results: one file without scripts, that needs no network. Runs in `npm run bench:report`. */
export { mergeReports, type Source } from './merge.js';
export { page } from './page.js';
