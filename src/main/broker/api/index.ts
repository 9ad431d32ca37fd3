/** The HTTP routes under `/api/v1`, one file per kind of thing. Knows nothing of WebSockets. */
export { requireAdmin } from './access.js';
export type { ApiContext } from './context.js';
export { shareRoutes } from './shares.js';
export { ticketRoutes } from './tickets.js';
export { tokenRoutes } from './tokens.js';
export { workspaceRoutes } from './workspaces.js';
