/** Who may come in: tokens, tickets, scopes, origins, and the count of failures. Talks to no network. */
export { addressOf, Authenticator } from './authenticator.js';
export { FailureLimit, sourceOf } from './failure-limit.js';
export { narrowScopes } from './scopes.js';
export { requireInForce, shareScope, shareState, shareSubject } from './shares.js';
export { Sites } from './sites.js';
export { TicketIssuer, type OwnTicket } from './tickets.js';
export { hashToken, mintId, mintToken } from './tokens.js';
export { UsedOnce } from './used-once.js';
