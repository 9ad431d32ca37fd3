import { ERROR_CODES } from '../../shared/common/index.js';
import type { TerminalClientState } from '../../shared/common/terminal-client/index.js';
import type { TerminalSize } from '../../shared/common/wire/index.js';
import type { ConnectionState } from '../connection/index.js';
import { el } from '../dom.js';
import { STEPS } from './connection-banner.js';

const NOTICE_MS = 6_000;

/** The line under the terminal: how it is reached, how fast, how large it is, and short notices. */
export class StatusLine {
  readonly element: HTMLElement;
  readonly #dot = el('span', { class: 'dot off', 'aria-hidden': 'true' });
  readonly #link = el('span', { role: 'status' });
  readonly #latency = el('span', { class: 'muted' });
  readonly #size = el('span', { class: 'muted' });
  readonly #badge = el('span', { class: 'badge', hidden: true }, 'view only');
  readonly #notice = el('span', { class: 'status-notice', role: 'status' });
  #timer: number | undefined;
  #connection: ConnectionState | undefined;
  #terminal: TerminalClientState | undefined;

  constructor() {
    this.element = el(
      'footer',
      { class: 'status' },
      this.#dot,
      this.#link,
      this.#latency,
      this.#badge,
      this.#notice,
      el(
        'span',
        { class: 'muted status-keys' },
        el('kbd', {}, 'Ctrl Shift F'),
        ' find ',
        el('kbd', {}, 'Ctrl Shift L'),
        ' leave',
      ),
      this.#size,
    );
  }

  showConnection(state: ConnectionState): void {
    this.#connection = state;
    this.#show();
  }

  showTerminal(state: TerminalClientState): void {
    this.#terminal = state;
    this.#show();
  }

  showSize({ rows, cols }: TerminalSize): void {
    this.#size.textContent = `${String(cols)}×${String(rows)}`;
  }

  /** Shows `text` for a moment, or until there is another. */
  notice(text: string): void {
    clearTimeout(this.#timer);
    this.#notice.textContent = text;
    this.#timer = window.setTimeout(() => {
      this.#notice.textContent = '';
    }, NOTICE_MS);
  }

  dispose(): void {
    clearTimeout(this.#timer);
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
    const terminal = this.#terminal;
    this.#badge.hidden = terminal?.type !== 'attached' || terminal.mayType;
  }

  #summary(): [look: string, text: string] {
    const terminal = this.#terminal;
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

function formatLatency(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${ms.toFixed(0)} ms`;
}
