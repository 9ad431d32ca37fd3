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
  return {
    terminals: async () => {
      const all = await requests.terminals();
      return all.filter(({ id }) => permissions.terminalAccess(id as TerminalId) !== 'none');
    },
    kill: async (id, signal) => {
      permissions.requireTyping(id, 'end');
      await requests.kill(id, signal);
    },
    create: (id, request) => {
      permissions.requireTyping(id, 'start');
      return requests.create(id, request, subject);
    },
    setIdle: async (id, idleMs) => {
      permissions.requireTyping(id, 'change');
      await requests.setIdle(id, idleMs);
    },
    wait: (id, timeoutMs, gone) => {
      permissions.requireSight(id);
      return requests.wait(id, timeoutMs, gone);
    },
    recordings: requests.recordings && recordingsFor(requests.recordings, permissions),
    viewers: (id) => {
      permissions.requireSight(id);
      return requests.viewers(id, permissions.terminalAccess(id) === 'type');
    },
    drop: (id, viewer) => {
      if (!permissions.isOwner())
        throw new HoldfastError('ERR_FORBIDDEN', 'only the owner may drop viewers');
      return requests.drop(id, viewer, subject);
    },
  };
}
