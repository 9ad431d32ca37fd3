import { HoldfastError, type TerminalId, type ViewerId } from '../../../shared/common/index.js';
import type { ControlRequests } from '../../../shared/common/peer-auth/index.js';
import type { Permissions, Presence } from '../../../shared/common/wire/index.js';
import { recordingsFor } from './recording-requests.js';

/** As {@link ControlRequests}, with who asks where the agent must know. */
export interface AgentRequests extends Omit<ControlRequests, 'create' | 'viewers' | 'drop'> {
  create(
    ...args: [...Parameters<ControlRequests['create']>, subject: string]
  ): ReturnType<ControlRequests['create']>;
  /** Not `full`: as one who only watches may see it. */
  viewers(id: TerminalId, full: boolean): Promise<Presence>;
  drop(id: TerminalId, viewer: ViewerId, by: string): Promise<void>;
}

/** What share links are good for: what it takes to show a terminal, and nothing that is added later. */
const OF_SHARES: readonly string[] = ['ping', 'terminals', 'viewers'];

/** Whether a peer, by a share link or not, may make requests of this type at all. */
export function mayRequest(type: string, isShare: boolean): boolean {
  return !isShare || OF_SHARES.includes(type);
}

/**
 * Requests as one peer may make them: of the terminals only those that it may see, or type into.
 * Others throw ERR_FORBIDDEN.
 */
export function permittedRequests(
  requests: AgentRequests,
  { permissions, subject }: { readonly permissions: Permissions; readonly subject: string },
): ControlRequests {
  const access = (id: string) => permissions.terminalAccess(id as TerminalId);
  const requireSight = (id: string): void => {
    if (access(id) === 'none') throw forbidden('the ticket does not allow this terminal');
  };
  const requireType = (id: string, what: string): void => {
    if (access(id) !== 'type')
      throw forbidden(`the ticket does not allow to ${what} this terminal`);
  };
  return {
    terminals: async () => {
      const all = await requests.terminals();
      return all.filter(({ id }) => access(id) !== 'none');
    },
    kill: async (id, signal) => {
      requireType(id, 'end');
      await requests.kill(id, signal);
    },
    create: (id, request) => {
      requireType(id, 'start');
      return requests.create(id, request, subject);
    },
    setIdle: async (id, idleMs) => {
      requireType(id, 'change');
      await requests.setIdle(id, idleMs);
    },
    wait: (id, timeoutMs, gone) => {
      requireSight(id);
      return requests.wait(id, timeoutMs, gone);
    },
    recordings: requests.recordings && recordingsFor(requests.recordings, permissions),
    viewers: (id) => {
      requireSight(id);
      return requests.viewers(id, access(id) === 'type');
    },
    drop: (id, viewer) => {
      if (!permissions.isOwner()) throw forbidden('only the owner may drop viewers');
      return requests.drop(id, viewer, subject);
    },
  };
}

function forbidden(message: string): HoldfastError {
  return new HoldfastError('ERR_FORBIDDEN', message);
}
