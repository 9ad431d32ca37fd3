import type { ErrorRecord } from '../../shared/common/index.js';
import { fromErrorRecord } from '../../shared/common/index.js';
import type { ExitStatus } from '../../shared/common/wire/index.js';
import { el } from '../dom.js';
import { workspacePath } from '../routes.js';
import { problem } from '../views/problem.js';

/** What can be done about it. */
export interface CardActions {
  /** Whose list of terminals there is to go to. Absent: this person has none. */
  readonly workspace: string | undefined;
  /** Absent: this person cannot start one. */
  readonly again: (() => void) | undefined;
  /** Takes the terminal out of view. Absent: nothing else is in view. */
  readonly close: (() => void) | undefined;
}

/** What is left to do when the program of a terminal has ended. */
export function exitCard(todo: CardActions, exit: ExitStatus): HTMLElement {
  const clean = exit.kind === 'status' && exit.status === 0;
  return el(
    'section',
    { class: `card exit ${clean ? '' : 'warn'}`, role: 'status' },
    el('p', {}, el('strong', {}, `The program ${describeExit(exit)}.`)),
    actions(todo, 'Start a new one'),
  );
}

/** The terminal cannot be attached, and trying again by itself would not help. */
export function failureCard(todo: CardActions, error: ErrorRecord): HTMLElement {
  return problem(fromErrorRecord(error), actions(todo, 'Try again'));
}

/** How a program ended, as the rest of a sentence about it. */
export function describeExit(exit: ExitStatus): string {
  switch (exit.kind) {
    case 'status':
      return `ended with status ${String(exit.status)}`;
    case 'signal':
      return `was ended by the signal ${exit.signal}`;
    case 'unknown':
      return 'was ended; its status is not known';
  }
}

function actions({ workspace, again, close }: CardActions, label: string): HTMLElement {
  return el(
    'span',
    { class: 'actions' },
    close !== undefined
      ? el('button', { type: 'button', class: 'button small', onclick: close }, 'Close')
      : workspace === undefined
        ? undefined
        : el('a', { class: 'button small', href: workspacePath(workspace) }, 'All terminals'),
    again === undefined
      ? undefined
      : el('button', { type: 'button', class: 'button primary small', onclick: again }, label),
  );
}
