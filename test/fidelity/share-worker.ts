/** What a thread of the suite runs. */
export { runShare as default } from './share.js';
