import { el } from '../dom.js';
import { storeToken } from '../token.js';
import { header, type View } from './view.js';

/** Asks for a user token. `why` is what was wrong with the one before. */
export function signInView(done: () => void, why?: string): View {
  const input = el('input', {
    id: 'token',
    name: 'token',
    type: 'password',
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'token-hint',
  });
  const element = el(
    'div',
    { class: 'page' },
    header([]),
    el(
      'main',
      { class: 'narrow' },
      el(
        'form',
        {
          class: 'card form',
          onsubmit: (event: SubmitEvent) => {
            event.preventDefault();
            if (input.value.trim() === '') return;
            storeToken(input.value);
            done();
          },
        },
        el('h1', {}, 'Sign in'),
        why === undefined ? undefined : el('p', { class: 'notice warn', role: 'alert' }, why),
        el('label', { for: 'token' }, 'User token'),
        input,
        el(
          'p',
          { id: 'token-hint', class: 'muted' },
          'The link that ',
          el('code', {}, 'holdfast up'),
          ' prints has it. Elsewhere, ',
          el('code', {}, 'holdfast token create'),
          ' makes one. It is kept in this browser only.',
        ),
        el('button', { type: 'submit', class: 'button primary' }, 'Continue'),
      ),
    ),
  );
  queueMicrotask(() => {
    input.focus();
  });
  return { element, dispose: () => undefined };
}
