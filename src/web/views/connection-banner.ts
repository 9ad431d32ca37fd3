import { ERROR_CODES, type ErrorCode } from '../../shared/common/index.js';
import {
  AgentKeyChangedError,
  fingerprint,
  pinAgentKey,
  type ConnectionState,
  type ConnectStep,
  type WorkspaceConnection,
} from '../connection/index.js';
import { el } from '../dom.js';
import { problem } from './problem.js';

/** What a person reads while an attempt is under way. */
export const STEPS: Readonly<Record<ConnectStep, string>> = {
  ticket: 'Asking the broker for a ticket…',
  signalling: 'Reaching the agent…',
  direct: 'Looking for a direct path…',
  relay: 'No direct path; connecting through the relay…',
  authenticating: 'Checking who answers…',
};

export interface Banner {
  readonly element: HTMLElement;
  dispose(): void;
}

/**
 * The state of a connection that does not stand: what is going on, why, when the next attempt comes, and
 * a button for not waiting; without `signIn` none for that. Hidden while connected, and for the first moment of connecting.
 */
export function connectionBanner(connection: WorkspaceConnection, signIn?: () => void): Banner {
  const element = el('div', { class: 'banner-slot', 'aria-live': 'polite' });
  let ticking: ReturnType<typeof setInterval> | undefined;
  let wasConnected = false;
  const retry = (): HTMLButtonElement =>
    el(
      'button',
      {
        type: 'button',
        class: 'button small',
        onclick: () => {
          connection.retryNow();
        },
      },
      'Retry now',
    );

  const show = (state: ConnectionState): void => {
    clearInterval(ticking);
    switch (state.type) {
      case 'connected':
      case 'closed':
        wasConnected = true;
        element.replaceChildren();
        return;
      case 'connecting':
        element.replaceChildren(
          el(
            'div',
            { class: 'banner busy' },
            el('span', { class: 'spinner', 'aria-hidden': 'true' }),
            el('span', {}, `${wasConnected ? 'Reconnecting. ' : ''}${STEPS[state.step]}`),
          ),
        );
        return;
      case 'waiting': {
        const countdown = el('span', { class: 'muted', 'aria-live': 'off' });
        const tick = (): void => {
          const left = Math.max(0, Math.ceil((state.retryAt - performance.now()) / 1_000));
          countdown.textContent = `Next attempt in ${String(left)} s.`;
        };
        tick();
        ticking = setInterval(tick, 250);
        const { code, message } = state.error;
        element.replaceChildren(
          el(
            'div',
            { class: 'banner warn' },
            el(
              'span',
              {},
              el('strong', {}, ERROR_CODES[code].meaning),
              ' ',
              el('span', { class: 'detail' }, `${message} (${code}).`),
              ' ',
              el('span', {}, ERROR_CODES[code].hint),
              ' ',
              countdown,
            ),
            retry(),
          ),
        );
        return;
      }
      case 'failed':
        if (state.error instanceof AgentKeyChangedError) {
          element.replaceChildren(keyChanged(connection, state.error));
        } else {
          const isToken = state.error.code === 'ERR_UNAUTHORIZED' && signIn !== undefined;
          element.replaceChildren(
            problem(
              state.error,
              isToken
                ? el(
                    'button',
                    { type: 'button', class: 'button small', onclick: signIn },
                    'Sign in',
                  )
                : undefined,
              isOver(state.error.code) ? undefined : retry(),
            ),
          );
        }
        return;
    }
  };
  const stop = connection.listen(show);
  return {
    element,
    dispose: () => {
      clearInterval(ticking);
      stop();
    },
  };
}

/** Whether asking again can never help. */
function isOver(code: ErrorCode): boolean {
  return (
    code === 'ERR_SHARE_REVOKED' || code === 'ERR_SHARE_EXPIRED' || code === 'ERR_SHARE_MISMATCH'
  );
}

/** Somebody else may be answering: nothing goes on until a person has compared the keys. */
function keyChanged(connection: WorkspaceConnection, error: AgentKeyChangedError): HTMLElement {
  const [before, now] = [el('code', {}), el('code', {})];
  void fingerprint(error.pinned).then((text) => before.append(text));
  void fingerprint(error.offered).then((text) => now.append(text));
  return el(
    'section',
    { class: 'card problem danger', role: 'alert' },
    el('h2', {}, 'The agent has another key than before'),
    el(
      'p',
      {},
      `Whoever answers for “${connection.workspace}” is not the agent this browser knows. That is so after the agent was reinstalled or its state folder removed, and also if somebody is in between. Nothing was sent.`,
    ),
    el(
      'dl',
      { class: 'keys' },
      el('dt', {}, 'Known key'),
      el('dd', {}, before),
      el('dt', {}, 'Offered key'),
      el('dd', {}, now),
    ),
    el(
      'p',
      { class: 'card-foot' },
      el('code', { class: 'code' }, error.code),
      el(
        'span',
        { class: 'actions' },
        el(
          'button',
          {
            type: 'button',
            class: 'button danger small',
            onclick: () => {
              pinAgentKey(connection.workspace, error.offered);
              connection.retryNow();
            },
          },
          'I expected this: trust the new key',
        ),
        el('a', { class: 'button small', href: '/' }, 'Leave'),
      ),
    ),
  );
}
