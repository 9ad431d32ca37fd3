import { HoldfastError, type TerminalId } from '../../../shared/common/index.js';
import type { RecordingRequests } from '../../../shared/common/peer-auth/index.js';
import type { Permissions, RecordingInfo } from '../../../shared/common/wire/index.js';

/**
 * Recordings as one peer may deal with them: whoever may type into a terminal may record it, and see, fetch
 * and delete the recordings of it. To others they are not there.
 */
export function recordingsFor(
  requests: RecordingRequests,
  permissions: Permissions,
): RecordingRequests {
  const isMine = ({ terminal }: RecordingInfo): boolean =>
    permissions.terminalAccess(terminal as TerminalId) === 'type';
  const list = async (): Promise<RecordingInfo[]> => (await requests.list()).filter(isMine);
  const requireMine = async (name: string): Promise<void> => {
    if ((await list()).some((recording) => recording.name === name)) return;
    throw new HoldfastError(
      'ERR_RECORDING_NOT_FOUND',
      'there is no such recording for this ticket',
    );
  };
  return {
    list,
    record: async (id, options) => {
      permissions.requireTyping(id, 'record');
      return await requests.record(id, options);
    },
    stop: async (name) => {
      await requireMine(name);
      return await requests.stop(name);
    },
    delete: async (name) => {
      await requireMine(name);
      await requests.delete(name);
    },
  };
}
