import type { ErrorRecord } from '../../shared/common/index.js';
import { fromErrorRecord } from '../../shared/common/index.js';
import type { ExitStatus } from '../../shared/common/wire/index.js';
import { el } from '../dom.js';
import { workspacePath } from '../routes.js';
import { problem } from './problem.js';

/** What is left to do when the program of a terminal has ended. */
export function exitCard(workspace: string, exit: ExitStatus, again: () => void): HTMLElement {
  const clean = exit.kind === 'status' && exit.status === 0;
  return el(
    'section',
    { class: `card exit ${clean ? '' : 'warn'}`, role: 'status' },
    el('p', {}, el('strong', {}, describeExit(exit))),
    actions(workspace, 'Start a new one', again),
  );
}

/** The terminal cannot be attached, and trying again by itself would not help. */
export function failureCard(workspace: string, error: ErrorRecord, again: () => void): HTMLElement {
  return problem(fromErrorRecord(error), actions(workspace, 'Try again', again));
}

export function describeExit(exit: ExitStatus): string {
  switch (exit.kind) {
    case 'status':
      return `The program ended with status ${String(exit.status)}.`;
    case 'signal':
      return `The program was ended by the signal ${exit.signal}.`;
    case 'unknown':
      return 'The program was ended; its status is not known.';
  }
}

function actions(workspace: string, label: string, again: () => void): HTMLElement {
  return el(
    'span',
    { class: 'actions' },
    el('a', { class: 'button small', href: workspacePath(workspace) }, 'All terminals'),
    el('button', { type: 'button', class: 'button primary small', onclick: again }, label),
  );
}
