import { randomBytes } from 'node:crypto';
import {
  assertNever,
  fromErrorRecord,
  HoldfastError,
  type ByteChannel,
  type Epoch,
  type ErrorRecord,
  type TerminalId,
  type ViewerId,
} from '../../../shared/common/index.js';
import {
  createTerminalClient,
  type TerminalClientState,
} from '../../../shared/common/terminal-client/index.js';
import type { ExitStatus, TerminalSettings } from '../../../shared/common/wire/index.js';
import { formatBytes } from '../output/index.js';
import { sizeOf } from '../raw-terminal.js';
import { describeEvent } from './describe-event.js';
import { runEscape } from './escapes.js';
import { Keyboard } from './keyboard.js';
import { Screen } from './screen.js';
import { WindowFit } from './window-fit.js';

export interface AttachOptions {
  /** Opens a `terminal` channel with this label, on a connection that stands or on a new one. */
  readonly openChannel: (label: string) => Promise<ByteChannel>;
  readonly id: TerminalId;
  /** The log to attach to, also if its terminal has exited. Absent: whichever the id has. */
  readonly epoch?: Epoch | undefined;
  /** Only watch. */
  readonly readOnly: boolean;
  /** Asked for at the first attach. Absent fields: as they are. */
  readonly settings: TerminalSettings;
}

/** Errors that each key can lead to while things are as they are. */
const PER_KEY: ReadonlySet<string> = new Set(['ERR_READ_ONLY', 'ERR_NOT_DRIVER']);

/** How an attachment ended, from the person's side. */
export type AttachOutcome =
  { readonly type: 'exited'; readonly exit: ExitStatus } | { readonly type: 'detached' };

/**
 * Shows a terminal on the standard streams until it exits or the person leaves. Lost connections are
 * taken up again. However it ends, the modes of the person's own terminal are as they were.
 * @throws {HoldfastError} what the agent refused it with.
 */
export async function attachTerminal(options: AttachOptions): Promise<AttachOutcome> {
  const { stdout } = process;
  const screen = new Screen(stdout);
  let settle: ((outcome: AttachOutcome | HoldfastError) => void) | undefined;
  const outcome = new Promise<AttachOutcome | HoldfastError>((resolve) => {
    settle = resolve;
  });
  const told = new Set<string>();
  let asker: ViewerId | undefined;
  const report = (error: ErrorRecord): void => {
    // Once, not for every key.
    if (told.has(error.code)) return;
    if (PER_KEY.has(error.code)) told.add(error.code);
    screen.notice(`${error.code}: ${error.message}`);
  };
  const onState = (state: TerminalClientState): void => {
    switch (state.type) {
      case 'connecting':
      case 'closed':
        return;
      case 'attached':
        if (screen.showsTrouble) repaint();
        screen.clearTrouble();
        if (!state.mayType && !options.readOnly) screen.notice('you may only watch');
        return;
      case 'reconnecting':
        screen.trouble(`${state.error.message}; reconnecting (leave with ~.)`);
        return;
      case 'exited':
        settle?.({ type: 'exited', exit: state.exit });
        return;
      case 'failed':
        settle?.(fromErrorRecord(state.error));
        return;
      default:
        assertNever(state);
    }
  };
  const fit = new WindowFit({
    stdout,
    notice: (text) => {
      screen.notice(text);
    },
    owner: () => {
      const { sizeOwner, names = [] } = client.sharing.presence ?? {};
      return names.find(({ id }) => id === sizeOwner)?.subject;
    },
  });
  const client = createTerminalClient({
    openChannel: options.openChannel,
    id: options.id,
    epoch: options.epoch,
    size: sizeOf(stdout),
    wantsType: !options.readOnly,
    settings: options.settings,
    clientId: randomBytes(16),
    handlers: {
      output: (bytes, { quiet }) => {
        screen.output(bytes, { quiet }, () => {
          client.processed(bytes.length);
        });
      },
      snapshot: (bytes, { continues }) => {
        if (!continues) {
          screen.reset();
          fit.reset();
        }
        screen.output(bytes, { quiet: true }, () => {
          client.processed(bytes.length);
        });
      },
      state: onState,
      restarted: () => {
        screen.reset();
        fit.reset();
        screen.notice('this terminal was started anew');
      },
      gap: (from, to) => {
        screen.skipped(`${formatBytes(to - from)} skipped`);
      },
      size: (size) => {
        fit.terminalChanged(size);
      },
      presence: ({ driver, you }) => {
        // The next change of hands is news again.
        if (driver === undefined || driver === you) told.delete('ERR_NOT_DRIVER');
      },
      event: (event) => {
        if (event.type === 'control-requested') asker = event.viewer;
        if (event.type === 'control-granted' && event.viewer === asker) asker = undefined;
        const text = describeEvent(event);
        if (text !== undefined) screen.notice(text);
      },
      inputRoom: () => {
        keyboard.resume();
      },
      error: report,
    },
  });
  const keyboard = new Keyboard({
    stdin: process.stdin,
    room: () => client.inputRoom,
    send: (bytes) => client.input(bytes),
    readOnly: options.readOnly,
    onDetach: () => settle?.({ type: 'detached' }),
    onEscape: (escape) => {
      const { text, control } = runEscape(escape, client.sharing.presence, asker);
      const isSent = control === undefined || client.sharing.control(control);
      if (!isSent) screen.notice('not connected');
      else if (text !== undefined) screen.notice(text);
    },
  });
  const onResize = (): void => {
    client.resize(sizeOf(stdout));
    fit.windowChanged();
  };
  /** A program that fills the screen draws it anew when its size changes. */
  const repaint = (): void => {
    if (!screen.fullScreen) return;
    const size = sizeOf(stdout);
    client.resize({ rows: Math.max(1, size.rows - 1), cols: size.cols });
    client.resize(size);
  };
  stdout.on('resize', onResize);
  keyboard.start();
  client.start();
  try {
    const result = await outcome;
    if (result instanceof HoldfastError) throw result;
    return result;
  } finally {
    stdout.off('resize', onResize);
    keyboard.stop();
    await client.close();
    fit.stop();
    await screen.restore();
  }
}
