import { el } from '../dom.js';
import type { OutputLink } from '../terminal/emulator.js';
import { ask } from './dialog.js';

/**
 * Opens a link of the output in a tab that knows nothing of this one. Where the text on the screen is not
 * the address itself, a person sees the address first.
 */
export async function openOutputLink({ url, isPlain }: OutputLink): Promise<void> {
  if (!isPlain) {
    const goAhead = await ask({
      title: url.protocol === 'mailto:' ? 'Write to this address?' : 'Open this address?',
      body: [
        el('p', { class: 'link-target' }, ...describeTarget(url)),
        el(
          'p',
          { class: 'muted' },
          'The text of the link does not show where it leads, and the program chose both.',
        ),
      ],
      yes: 'Open',
    });
    if (!goAhead) return;
  }
  window.open(url, '_blank', 'noopener,noreferrer');
}

/** The whole address, its host standing out: in `https://bank.example@evil.example/` that is the last. */
export function describeTarget(url: URL): (Node | string)[] {
  if (url.host === '') return [url.href];
  const at = url.href.indexOf(url.host, url.protocol.length + 2 + userLength(url));
  return [url.href.slice(0, at), el('strong', {}, url.host), url.href.slice(at + url.host.length)];
}

function userLength({ username, password }: URL): number {
  if (username === '' && password === '') return 0;
  return username.length + (password === '' ? 0 : password.length + 1) + 1;
}
