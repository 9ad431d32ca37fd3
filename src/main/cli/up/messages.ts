import type { ErrorRecord } from '../../../shared/common/index.js';
import type { AgentSettings, BrokerSettings } from '../services/index.js';

/** Supervisor to child. Credentials travel here, so that neither argv nor environment holds one. */
export type ToChild =
  /** First message; starts the service. */
  | { readonly type: 'start-broker'; readonly settings: BrokerSettings }
  | { readonly type: 'start-agent'; readonly settings: AgentSettings }
  /** End well; the child exits by itself. */
  | { readonly type: 'stop' };

/** Child to supervisor. */
export type FromChild =
  | {
      readonly type: 'broker-ready';
      readonly url: string;
      readonly port: number;
      readonly adminTokenFile: string;
    }
  | { readonly type: 'agent-started' }
  /** The service could not start; the child exits. `hint` is what to do about it. */
  | { readonly type: 'failed'; readonly error: ErrorRecord; readonly hint: string };
