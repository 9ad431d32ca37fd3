import type { ShellCommand } from '../../../shared/node/ports/index.js';
import type { OscMeaning } from './osc-meaning.js';
import type { ShellEvent } from './event-log.js';

type Mark = Extract<OscMeaning, { shell: string }>;

interface Running extends ShellCommand {
  /** Clock time in ms. Absent: another worker saw it start. */
  readonly startedAt: number | undefined;
}

/** Shells within shells that are followed; beyond it the outermost are forgotten. */
const MAX_DEPTH = 16;

/**
 * The commands that run in a terminal, outermost first: a shell that was started from another one marks
 * its own commands, and the end of the outer one is the end of all within, marked or not.
 */
export class CommandStack {
  #running: Running[];

  /** @param known what ran when another worker died. */
  constructor(known: readonly ShellCommand[]) {
    this.#running = known.map((command) => ({ ...command, startedAt: undefined }));
  }

  get running(): ShellCommand[] {
    return this.#running.map(({ shell, command }) => ({ shell, command }));
  }

  /** Takes a mark at clock time `now`. Absent: it changes nothing. */
  take(mark: Mark, now: number): ShellEvent | undefined {
    const ended = this.#end(mark.shell);
    switch (mark.type) {
      case 'command-start': {
        const { shell, command } = mark;
        this.#running.push({ shell, command, startedAt: now });
        if (this.#running.length > MAX_DEPTH) this.#running.shift();
        return { type: 'command-start', command };
      }
      case 'prompt':
        // Some shells do not mark the end: that they ask for the next command says it as well.
        return ended && { type: 'command-end', ...describe(ended, now) };
      case 'command-end':
        // Without a start nothing ran: so do shells say that a line was given up.
        return ended && { type: 'command-end', ...describe(ended, now), status: mark.status };
      default:
        return mark satisfies never;
    }
  }

  /** Takes away what `shell` runs, and all within that. */
  #end(shell: string): Running | undefined {
    const index = this.#running.findIndex((each) => each.shell === shell);
    return index === -1 ? undefined : this.#running.splice(index)[0];
  }
}

function describe(
  { command, startedAt }: Running,
  now: number,
): { readonly command: string | undefined; readonly durationMs: number | undefined } {
  const durationMs = startedAt === undefined ? undefined : Math.max(0, Math.round(now - startedAt));
  return { command, durationMs };
}
