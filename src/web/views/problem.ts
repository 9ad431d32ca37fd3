import { ERROR_CODES, HoldfastError, toErrorRecord } from '../../shared/common/index.js';
import type { Child } from '../dom.js';
import { el } from '../dom.js';

/** What went wrong, its code, what to do about it, and buttons to do it. */
export function problem(error: unknown, ...actions: Child[]): HTMLElement {
  const { code, message } = toErrorRecord(error);
  const hint = error instanceof HoldfastError ? error.hint : ERROR_CODES[code].hint;
  return el(
    'section',
    { class: 'card problem', role: 'alert' },
    el('h2', {}, ERROR_CODES[code].meaning),
    el('p', { class: 'detail' }, message),
    el('p', {}, hint),
    el(
      'p',
      { class: 'card-foot' },
      el('code', { class: 'code' }, code),
      el('span', { class: 'actions' }, ...actions),
    ),
  );
}
