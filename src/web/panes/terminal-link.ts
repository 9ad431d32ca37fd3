import {
  ERROR_CODES,
  limits,
  resizeEmulator,
  type Epoch,
  type ErrorRecord,
  type TerminalId,
} from '../../shared/common/index.js';
import {
  createTerminalClient,
  type TerminalClient,
  type TerminalClientState,
} from '../../shared/common/terminal-client/index.js';
import type { TerminalSize, ViewerEventAt } from '../../shared/common/wire/index.js';
import type { WorkspaceConnection } from '../connection/index.js';
import type { Emulator } from '../terminal/emulator.js';
import { Typing } from '../terminal/typing.js';

/**
 * xterm.js looks at the clock, and lets keys and drawing have their turn, only between writes; a full frame
 * of colours takes it longer than people should wait for a key.
 */
const PIECE_BYTES = 8 * limits.KIB;

export interface TerminalLinkOptions {
  readonly connection: WorkspaceConnection;
  readonly id: TerminalId;
  readonly size: TerminalSize;
  /** Only the terminal with this log will do, though it has ended. Absent: any, a new one if need be. */
  readonly epoch: Epoch | undefined;
  readonly emulator: Emulator;
  readonly state: (state: TerminalClientState) => void;
  readonly notice: (text: string) => void;
  /** As the program set it: untrusted text. */
  readonly title: (title: string) => void;
  /** So many bytes of output will never come. */
  readonly gap: (bytes: number) => void;
  readonly restarted: () => void;
  /** Who is attached has changed. */
  readonly presence: () => void;
  readonly event: (event: ViewerEventAt) => void;
}

/** Between the terminal in the workspace and the emulator on the page: frames in, keys out. */
export class TerminalLink {
  readonly client: TerminalClient;
  readonly #typing: Typing;
  /** Output that the emulator has not parsed yet. */
  #unparsed = 0;

  constructor(options: TerminalLinkOptions) {
    const { connection, emulator } = options;
    const { guard, terminal } = emulator;
    const write = (bytes: Uint8Array, isQuiet: boolean): void => {
      this.#unparsed += bytes.length;
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        const piece = bytes.subarray(at, at + PIECE_BYTES);
        // Acknowledged only when it is parsed: that is what keeps a flood from outrunning the page.
        guard.write(piece, isQuiet, () => {
          this.#unparsed -= piece.length;
          client.processed(piece.length);
        });
      }
    };
    const client = createTerminalClient({
      openChannel: (label) => connection.openChannel('terminal', label),
      id: options.id,
      size: options.size,
      epoch: options.epoch,
      wantsType: true,
      clientId: crypto.getRandomValues(new Uint8Array(16)),
      handlers: {
        output: (bytes, { quiet }) => {
          write(bytes, quiet);
        },
        snapshot: (bytes, { size, continues }) => {
          if (!continues) {
            guard.afterWrites(() => {
              terminal.reset();
              resizeEmulator(terminal, size);
            });
          }
          write(bytes, true);
        },
        restarted: () => {
          guard.afterWrites(() => {
            terminal.reset();
          });
          options.restarted();
        },
        gap: (from, to) => {
          // Ends a sequence that was cut in two, so that it does not swallow what follows.
          guard.write('\x18', true);
          options.gap(to - from);
        },
        size: (size) => {
          guard.afterWrites(() => {
            resizeEmulator(terminal, size);
          });
        },
        title: options.title,
        state: options.state,
        presence: options.presence,
        event: options.event,
        inputRoom: () => {
          this.#typing.pump();
        },
        error: (error: ErrorRecord) => {
          options.notice(describeRefusal(error));
        },
      },
    });
    this.client = client;
    this.#typing = new Typing(client, () => {
      options.notice('Too much input is waiting; this was not typed (ERR_INPUT_OVERRUN).');
    });
  }

  /** Output that has arrived and is not on the screen yet, in bytes. */
  get unparsed(): number {
    return this.#unparsed;
  }

  type(bytes: Uint8Array): void {
    this.#typing.type(bytes);
  }
}

function describeRefusal({ code, message }: ErrorRecord): string {
  return `${message} (${code}). ${ERROR_CODES[code].hint}`;
}
