import { hostname } from 'node:os';
import { limits, type Clock, type Timer } from '../../../shared/common/index.js';
import type { ShellState, TerminalEvent } from '../../../shared/node/ports/index.js';
import type { Viewer } from '../viewer.js';
import { CommandStack } from './command-stack.js';
import type { EventLog, ShellEvent, ShellEventAt } from './event-log.js';
import { oscMeaning } from './osc-meaning.js';
import { OscReader } from './osc-reader.js';

export interface ShellWatchOptions {
  readonly clock: Clock;
  /** Where what happens is noted for the viewers. */
  readonly events: EventLog;
  /** What another worker knew when it died. */
  readonly known: ShellState;
  head(): number;
  /** There is something new in `events`. */
  added(): void;
  post(news: Extract<TerminalEvent, { type: 'shell' }>): void;
}

/** Starts and ends: as many as there are in {@link limits.NEWS_COMMANDS} commands. */
const PENDING_COMMANDS = 2 * limits.NEWS_COMMANDS;

/**
 * Reads what the shell in a terminal says of itself from the output, and tells viewers and main, at most
 * once per {@link limits.NEWS_MS}: a program may print titles and marks in a loop. All of it is what a
 * program says, so it can be untrue, and decides nothing but what is shown and who need not wait longer.
 */
export class ShellWatch {
  readonly #options: ShellWatchOptions;
  readonly #reader = new OscReader();
  readonly #hostname = hostname();
  readonly #commands: CommandStack;
  #title: string;
  #cwd: string | undefined;
  #marks: boolean;
  #lastStatus: number | undefined;
  /** Not told yet, in the order of the log; title and directory once at most. */
  #pending: ShellEventAt[] = [];
  #stateChanged = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(options: ShellWatchOptions) {
    const { title, cwd, marks, lastStatus, running } = options.known;
    this.#options = options;
    this.#title = title;
    this.#cwd = cwd;
    this.#marks = marks;
    this.#lastStatus = lastStatus;
    this.#commands = new CommandStack(running);
  }

  /** `bytes` were appended to the log. What they say is told by {@link tell}. */
  appended(bytes: Uint8Array): void {
    const from = this.#options.head() - bytes.length;
    this.#reader.read(bytes, (text, end) => {
      this.#take(text, from + end);
    });
  }

  /** Tells what is new, if it is time; else later. */
  tell(): void {
    if (!this.#stateChanged || this.#timer !== undefined) return;
    const { clock } = this.#options;
    const wait = this.#toldAt + limits.NEWS_MS - clock.now();
    if (wait <= 0) {
      this.#tell();
      return;
    }
    this.#timer = clock.after(wait, () => {
      this.#timer = undefined;
      this.#tell();
    });
  }

  /** `viewer` is told what holds now. */
  joined(viewer: Viewer): void {
    const offset = this.#options.head();
    const running = this.#commands.running.at(-1);
    if (this.#title !== '')
      viewer.sendShell({ offset, event: { type: 'title', title: this.#title } });
    if (this.#cwd !== undefined) {
      viewer.sendShell({ offset, event: { type: 'cwd', path: this.#cwd } });
    }
    if (running !== undefined) {
      viewer.sendShell({ offset, event: { type: 'command-start', command: running.command } });
    }
  }

  /** The output is complete: what is new is told now. */
  end(): void {
    this.close();
    if (this.#stateChanged) this.#tell();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #take(text: string, offset: number): void {
    const meaning = oscMeaning(text, this.#hostname);
    switch (meaning?.type) {
      case undefined:
        return;
      case 'title':
        if (meaning.title === this.#title) return;
        this.#title = meaning.title;
        this.#replace({ offset, event: meaning });
        return;
      case 'cwd':
        if (meaning.path === this.#cwd) return;
        this.#cwd = meaning.path;
        this.#replace({ offset, event: meaning });
        return;
      case 'prompt':
      case 'command-start':
      case 'command-end': {
        if (!this.#marks) this.#stateChanged = true;
        this.#marks = true;
        const event = this.#commands.take(meaning, this.#options.clock.now());
        if (event !== undefined) this.#note({ offset, event });
        return;
      }
      default:
        meaning satisfies never;
    }
  }

  #replace(at: ShellEventAt): void {
    this.#pending = this.#pending.filter(({ event }) => event.type !== at.event.type);
    this.#pending.push(at);
    this.#stateChanged = true;
  }

  #note(at: ShellEventAt): void {
    if (at.event.type === 'command-end') this.#lastStatus = at.event.status;
    this.#pending.push(at);
    this.#stateChanged = true;
    // The first go, since the last say how things stand.
    if (this.#pending.filter(isCommand).length <= PENDING_COMMANDS) return;
    this.#pending.splice(this.#pending.findIndex(isCommand), 1);
  }

  #tell(): void {
    const { clock, events, added, post } = this.#options;
    const pending = this.#pending;
    this.#pending = [];
    this.#stateChanged = false;
    this.#toldAt = clock.now();
    for (const each of pending) events.push(each);
    if (pending.length > 0) added();
    post({
      type: 'shell',
      state: {
        title: this.#title,
        cwd: this.#cwd,
        marks: this.#marks,
        lastStatus: this.#lastStatus,
        running: this.#commands.running,
      },
      ended: pending.map(({ event }) => event).filter(isCommandEnd),
    });
  }
}

function isCommand({ event }: ShellEventAt): boolean {
  return event.type === 'command-start' || event.type === 'command-end';
}

function isCommandEnd(event: ShellEvent): event is Extract<ShellEvent, { type: 'command-end' }> {
  return event.type === 'command-end';
}
