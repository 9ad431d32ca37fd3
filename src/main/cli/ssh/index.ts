/** An SSH session on the standard streams of this process. Main thread of `holdfast ssh`. */
export { runSession, type RunSessionOptions } from './run-session.js';
