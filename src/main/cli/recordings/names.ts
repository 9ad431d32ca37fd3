import { HoldfastError } from '../../../shared/common/index.js';
import { isRecordingName, type RecordingInfo } from '../../../shared/common/wire/index.js';
import type { WorkspaceLink } from '../workspace-link.js';

/** @throws {HoldfastError} ERR_INVALID_ARGUMENT if it cannot be the name of a recording. */
export function recordingArgument(text: string): string {
  if (isRecordingName(text)) return text;
  throw new HoldfastError(
    'ERR_INVALID_ARGUMENT',
    `${JSON.stringify(text.slice(0, 100))} is no name of a recording`,
    { hint: 'Use up to 96 letters, digits, dots, dashes or underscores.' },
  );
}

/** The recording `name` of the agent. @throws {HoldfastError} ERR_RECORDING_NOT_FOUND. */
export async function recordingOf(
  link: Pick<WorkspaceLink, 'recordings'>,
  name: string,
): Promise<RecordingInfo> {
  const found = (await link.recordings.list()).find((recording) => recording.name === name);
  if (found !== undefined) return found;
  throw new HoldfastError('ERR_RECORDING_NOT_FOUND', `no recording ${name}`);
}
