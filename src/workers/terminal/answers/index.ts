/**
 * Who answers when a program asks its terminal something, and the answers of the agent itself. Terminal
 * workers.
 */
export { Answering } from './answering.js';
export { QueryMute } from './query-mute.js';
