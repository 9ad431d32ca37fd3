import type { ViewerId } from '../../../shared/common/index.js';
import type { Presence, PresenceRow, ViewerControl } from '../../../shared/common/wire/index.js';

/** What follows `~` at the start of a line, besides the `.` that leaves. */
export const ESCAPES = ['?', 'c', 'w'] as const;
export type Escape = (typeof ESCAPES)[number];

/** What an escape does: something to say, something to ask the agent for. */
export interface EscapeOutcome {
  readonly text?: string;
  readonly control?: ViewerControl;
}

const HELP =
  '~. leaves; ~c asks for the control, takes, gives or ends it; ~w who is here; ~~ a tilde';

/**
 * @param presence Absent: not attached.
 * @param asker who asked for the control last. Absent: nobody.
 */
export function runEscape(
  escape: Escape,
  presence: Presence | undefined,
  asker: ViewerId | undefined,
): EscapeOutcome {
  if (escape === '?') return { text: HELP };
  if (presence === undefined) return { text: 'not connected' };
  return escape === 'w' ? { text: describePresence(presence) } : controlStep(presence, asker);
}

/** What one key can mean: the next thing that makes sense. */
function controlStep({ driver, you, names }: Presence, asker: ViewerId | undefined): EscapeOutcome {
  if (driver !== undefined && driver !== you) {
    const owner = names.find(({ id }) => id === driver)?.subject ?? 'somebody else';
    return { text: `asking ${owner} for the control`, control: { type: 'request-control' } };
  }
  const isHere = names.some(({ id, mode }) => id === asker && mode === 'type');
  if (asker !== undefined && asker !== you && isHere) {
    return { control: { type: 'hand-over', viewer: asker } };
  }
  if (driver !== undefined) return { control: { type: 'release-control' } };
  return you === undefined ? {} : { control: { type: 'hand-over', viewer: you } };
}

/** One line: everybody who is named, and how many more there are. */
function describePresence(presence: Presence): string {
  const { names, viewers } = presence;
  const rows = names.map((row) => describeRow(row, presence));
  const more = viewers - names.length;
  if (more > 0) rows.push(`${String(more)} more`);
  return rows.join(', ');
}

function describeRow({ id, subject, mode, rows, cols }: PresenceRow, presence: Presence): string {
  const facts = [
    id === presence.you ? 'you' : undefined,
    mode === 'type' ? undefined : 'watches',
    rows === undefined || cols === undefined ? undefined : `${String(cols)}x${String(rows)}`,
    id === presence.driver ? 'has the control' : undefined,
  ].filter((fact) => fact !== undefined);
  return facts.length === 0 ? subject : `${subject} (${facts.join(', ')})`;
}
