import type { Logger } from '../../../shared/common/index.js';
import type { AuditTrail } from '../audit.js';
import type { Authenticator, TicketIssuer } from '../auth/index.js';
import type { Relays } from '../relay/index.js';
import type { Hub } from '../signalling/index.js';
import type { Store } from '../store/index.js';

/** What the routes work with. */
export interface ApiContext {
  readonly store: Store;
  readonly audit: AuditTrail;
  readonly authenticator: Authenticator;
  readonly issuer: TicketIssuer;
  readonly hub: Hub;
  readonly relays: Relays;
  /** Origin for links. Absent: the operator named none. */
  readonly publicUrl: string | undefined;
  readonly logger: Logger;
}
