import { el, icon, type Child } from '../dom.js';

export interface DialogOptions {
  readonly title: string;
  /** Called with the value of the button that closed it; empty if it was dismissed. */
  readonly closed: (value: string) => void;
  readonly className?: string;
}

let lastTitle = 0;

/**
 * Shows a modal dialog: a title, `body`, and `buttons` at the bottom. The browser keeps the keyboard in
 * it, Escape dismisses it, and afterwards the focus is where it was.
 */
export function showDialog(
  { title, closed, className }: DialogOptions,
  body: readonly Child[],
  buttons: readonly HTMLElement[],
): HTMLDialogElement {
  lastTitle += 1;
  const id = `dialog-${String(lastTitle)}`;
  const dialog = el(
    'dialog',
    {
      'aria-labelledby': id,
      class: className,
      // The keys of the page are not meant while a question is open.
      onkeydown: (event: KeyboardEvent) => {
        event.stopPropagation();
      },
      onclose: () => {
        dialog.remove();
        closed(dialog.returnValue);
      },
    },
    el(
      'form',
      { method: 'dialog' },
      el('h2', { id }, title),
      ...body,
      buttons.length === 0 ? undefined : el('p', { class: 'card-foot' }, ...buttons),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** A dialog with nothing to decide, which has a cross in its corner. */
export function showPanel(
  options: Omit<DialogOptions, 'closed'> & { readonly closed?: () => void },
  ...body: Child[]
): HTMLDialogElement {
  const dialog = showDialog(
    {
      ...options,
      closed: () => {
        options.closed?.();
      },
    },
    body,
    [],
  );
  dialog.querySelector('h2')?.after(
    el(
      'button',
      {
        class: 'icon-button dialog-close',
        value: 'close',
        formnovalidate: true,
        'aria-label': 'Close',
        title: 'Close (Escape)',
      },
      icon('close'),
    ),
  );
  return dialog;
}

/** Asks; resolves with whether the answer was `yes`. */
export function ask(options: {
  readonly title: string;
  readonly body: readonly Child[];
  readonly yes: string;
  readonly no?: string;
  /** What is asked for cannot be undone: the safe answer has the focus. */
  readonly isDanger?: boolean;
}): Promise<boolean> {
  const { title, body, yes, no = 'Cancel', isDanger = false } = options;
  return new Promise((resolve) => {
    showDialog(
      {
        title,
        closed: (value) => {
          resolve(value === 'yes');
        },
      },
      body,
      [
        el('button', { class: 'button', value: 'no', autofocus: isDanger }, no),
        el(
          'button',
          {
            class: `button ${isDanger ? 'danger' : 'primary'}`,
            value: 'yes',
            autofocus: !isDanger,
          },
          yes,
        ),
      ],
    );
  });
}
