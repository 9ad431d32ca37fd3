import { ERROR_CODES } from '../../shared/common/index.js';
import type { TerminalClientState } from '../../shared/common/terminal-client/index.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';
import type { ConnectionState } from '../connection/index.js';
import { el } from '../dom.js';
import { formatBytes, formatLatency, formatSize } from '../format.js';
import { STEPS } from '../views/connection-banner.js';

const NOTICE_MS = 6_000;
/** Less than this is what is on its way anyway. */
const BEHIND_BYTES = 32 * 1_024;

/** What the line says of the terminal that has the keyboard. */
export interface StatusOfTerminal {
  readonly state: TerminalClientState;
  readonly size: TerminalSize | undefined;
  /** Output that is not on the screen yet, in bytes. */
  readonly behind: number;
}

/** The line under the terminals: how they are reached, how fast, how large, and short notices. */
export class StatusLine {
  readonly element: HTMLElement;
  readonly #dot = el('span', { class: 'dot off', 'aria-hidden': 'true' });
  readonly #link = el('span', { class: 'status-link', role: 'status' });
  readonly #latency = el('span', { class: 'muted', title: 'To the workspace and back' });
  readonly #behind = el('span', { class: 'status-behind', hidden: true });
  readonly #size = el('span', { class: 'muted' });
  readonly #badge = el('span', { class: 'badge', hidden: true }, 'view only');
  readonly #notice = el('span', { class: 'status-notice', role: 'status' });
  #timer: number | undefined;
  #noticed = '';
  #hovered = '';
  #connection: ConnectionState | undefined;
  #terminal: StatusOfTerminal | undefined;

  constructor() {
    this.element = el(
      'footer',
      { class: 'status' },
      this.#dot,
      this.#link,
      this.#latency,
      this.#behind,
      this.#badge,
      this.#notice,
      el('span', { class: 'muted status-keys' }, el('kbd', {}, 'Ctrl Shift /'), ' keys'),
      this.#size,
    );
  }

  showConnection(state: ConnectionState): void {
    this.#connection = state;
    this.#show();
  }

  showTerminal(terminal: StatusOfTerminal): void {
    this.#terminal = terminal;
    this.#show();
  }

  /** Shows `text` for a moment, or until there is another. */
  notice(text: string): void {
    clearTimeout(this.#timer);
    this.#noticed = text;
    this.#showNotice();
    this.#timer = window.setTimeout(() => {
      this.#noticed = '';
      this.#showNotice();
    }, NOTICE_MS);
  }

  /** Where the link under the pointer leads. Absent: there is none. */
  hover(url: URL | undefined): void {
    this.#hovered = url?.href ?? '';
    this.#showNotice();
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }

  #showNotice(): void {
    this.#notice.classList.toggle('target', this.#hovered !== '');
    this.#notice.textContent = this.#hovered === '' ? this.#noticed : this.#hovered;
    this.#notice.title = this.#notice.textContent;
  }

  #show(): void {
    const [look, text] = this.#summary();
    this.#dot.className = `dot ${look}`;
    // Only on a change, since assistive technology reads every one aloud.
    if (this.#link.textContent !== text) this.#link.textContent = text;
    const connection = this.#connection;
    this.#latency.textContent =
      connection?.type === 'connected' && connection.latencyMs !== undefined
        ? formatLatency(connection.latencyMs)
        : '';
    const { state, size, behind = 0 } = this.#terminal ?? {};
    this.#size.textContent = size === undefined ? '' : formatSize(size);
    this.#behind.hidden = behind < BEHIND_BYTES;
    if (!this.#behind.hidden) this.#behind.textContent = `behind by ${formatBytes(behind)}`;
    this.#badge.hidden = state?.type !== 'attached' || state.mayType;
  }

  #summary(): [look: string, text: string] {
    const terminal = this.#terminal?.state;
    if (terminal?.type === 'exited') return ['off', 'Ended'];
    if (terminal?.type === 'failed') return ['bad', 'Not attached'];
    switch (this.#connection?.type) {
      case undefined:
      case 'closed':
        return ['off', 'Not connected'];
      case 'connecting':
        return ['busy', STEPS[this.#connection.step]];
      case 'waiting':
        return ['bad', 'Connection lost'];
      case 'failed':
        return ['bad', 'Not connected'];
      case 'connected':
        if (terminal?.type === 'connecting') return ['busy', 'Attaching…'];
        if (terminal?.type === 'reconnecting') {
          return ['busy', `Attaching again: ${ERROR_CODES[terminal.error.code].meaning}`];
        }
        return ['good', this.#connection.kind === 'direct' ? 'Direct' : 'Relay'];
    }
  }
}
