import type { Terminal } from '@xterm/xterm';
import { confirmPaste } from '../dialogs/paste-dialog.js';
import type { ReplayGuard } from '../terminal/replay-guard.js';
import { cleanPaste } from '../terminal/untrusted-text.js';
import { noteButton, type PaneNotes } from './pane-notes.js';

/** Text that a program may put on the clipboard at once, before base64. */
const CLIPBOARD_BYTES = 100 * 1_024;
const PREVIEW_CHARACTERS = 60;
const NOTE = 'clipboard';

export interface PaneClipboardOptions {
  readonly terminal: Terminal;
  readonly guard: ReplayGuard;
  readonly host: HTMLElement;
  readonly notes: PaneNotes;
  readonly notice: (text: string) => void;
}

/**
 * What goes between a terminal and the clipboard: copying, pasting, and what programs ask for with OSC 52.
 * They can never read it. To write they need a yes, which holds for this terminal until it is left.
 */
export class PaneClipboard {
  readonly #options: PaneClipboardOptions;
  readonly #endings: (() => void)[] = [];
  #programs: 'ask' | 'allowed' | 'refused' = 'ask';
  /** What the program wanted to write last, while the question is open. */
  #wanted = '';

  constructor(options: PaneClipboardOptions) {
    this.#options = options;
    const { terminal, guard, host } = options;
    const hook = terminal.parser.registerOscHandler(52, (data) => {
      if (!guard.isReplay) this.#programWrites(data);
      return true;
    });
    const onPaste = (event: ClipboardEvent): void => {
      const text = event.clipboardData?.getData('text/plain') ?? '';
      event.preventDefault();
      event.stopPropagation();
      void this.paste(text);
    };
    host.addEventListener('paste', onPaste, { capture: true });
    this.#endings.push(
      () => {
        hook.dispose();
      },
      () => {
        host.removeEventListener('paste', onPaste, { capture: true });
      },
    );
  }

  /** Copies the selection. False: nothing is selected. */
  copy(): boolean {
    const { terminal } = this.#options;
    if (!terminal.hasSelection()) return false;
    this.#write(terminal.getSelection());
    return true;
  }

  async paste(text: string): Promise<void> {
    const { terminal } = this.#options;
    const clean = cleanPaste(text).replace(/\r\n?/g, '\n');
    if (clean === '') return;
    if (!terminal.modes.bracketedPasteMode && clean.trimEnd().includes('\n')) {
      const goAhead = await confirmPaste(clean);
      terminal.focus();
      if (!goAhead) return;
    }
    terminal.paste(clean);
  }

  /** Pastes what is on the clipboard, for where there is no key for it. */
  async pasteFromClipboard(): Promise<void> {
    try {
      await this.paste(await navigator.clipboard.readText());
    } catch {
      this.#options.notice('The browser did not allow pasting; use its own key or menu for it.');
    }
  }

  dispose(): void {
    for (const end of this.#endings) end();
  }

  /** `data` is `targets;base64`; a `?` in place of the text asks for the clipboard and gets no answer. */
  #programWrites(data: string): void {
    const text = decodeClipboard(data.slice(data.indexOf(';') + 1));
    if (text === undefined || this.#programs === 'refused') return;
    if (this.#programs === 'allowed') {
      this.#write(text);
      return;
    }
    this.#wanted = text;
    const { notes } = this.#options;
    const decide = (answer: 'allowed' | 'refused'): void => {
      this.#programs = answer;
      notes.hide(NOTE);
      if (answer === 'allowed') this.#write(this.#wanted);
      this.#options.terminal.focus();
    };
    const preview = Array.from(cleanPaste(text).replace(/\s+/g, ' '));
    notes.show(NOTE, {
      look: 'warn',
      canClose: false,
      body: [
        `The program wants to put text on your clipboard: “${preview.slice(0, PREVIEW_CHARACTERS).join('')}${preview.length > PREVIEW_CHARACTERS ? '…' : ''}”`,
      ],
      actions: [
        noteButton('Never here', () => {
          decide('refused');
        }),
        noteButton('Allow for this terminal', () => {
          decide('allowed');
        }),
      ],
    });
  }

  #write(text: string): void {
    navigator.clipboard.writeText(text).catch(() => {
      this.#options.notice('The browser did not allow copying.');
    });
  }
}

/** The text of an OSC 52 write. Absent: a question, no base64, no UTF-8, or too much. */
function decodeClipboard(base64: string): string | undefined {
  if (base64 === '?' || base64 === '' || base64.length > (CLIPBOARD_BYTES * 4) / 3 + 4) {
    return undefined;
  }
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
