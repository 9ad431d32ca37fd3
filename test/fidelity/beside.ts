import type { Terminal } from '@xterm/headless';
import type { ColorRequest, Inside } from './inside.js';

/** Private modes that this emulator does not know and a viewer's own may. */
const FOREIGN_MODES = [5, 8, 1005, 1007, 1015, 1034, 1036, 2031, 2048, 9001];

interface Keyboard {
  flags: number;
  readonly stack: number[];
}

/**
 * State that a stream sets and that the emulator hands to its surroundings or leaves to others: colours,
 * modes and keyboard protocols. Kept in the simplest way, for comparison.
 */
export class Beside {
  readonly #terminal: Terminal;
  readonly #colors = new Map<string, string>();
  readonly #modes = new Map<number, boolean>();
  readonly #keyOptions = new Map<number, string>();
  #keyboards = blankKeyboards();

  constructor(terminal: Terminal, inside: Inside) {
    this.#terminal = terminal;
    const { parser } = terminal;
    inside._inputHandler.onColor((requests) => {
      for (const request of requests) this.#color(request);
    });
    for (const [final, on] of [
      ['h', true],
      ['l', false],
    ] as const) {
      parser.registerCsiHandler({ prefix: '?', final }, (params) => {
        for (const mode of params.flat())
          if (FOREIGN_MODES.includes(mode)) this.#modes.set(mode, on);
        return false;
      });
    }
    parser.registerCsiHandler({ prefix: '>', final: 'm' }, (params) => {
      const resource = Number(params[0]);
      this.#keyOptions.set(resource, params.flat().join(';'));
      return false;
    });
    this.#observeKeyboard();
    parser.registerEscHandler({ final: 'c' }, () => {
      this.#colors.clear();
      this.#modes.clear();
      this.#keyOptions.clear();
      this.#keyboards = blankKeyboards();
      return false;
    });
  }

  facts(): readonly string[] {
    const { normal, alternate } = this.#keyboards;
    return [
      `colours: ${sorted(this.#colors)}`,
      `foreign modes: ${sorted(this.#modes)}`,
      `key options: ${sorted(this.#keyOptions)}`,
      `keyboard: ${String(normal.flags)} ${String(alternate.flags)}`,
    ];
  }

  #color({ type, index, color }: ColorRequest): void {
    if (type === 0) return;
    if (type === 1) this.#colors.set(String(index), JSON.stringify(color));
    else if (index !== undefined) this.#colors.delete(String(index));
    else {
      for (const key of this.#colors.keys()) if (Number(key) < 256) this.#colors.delete(key);
    }
  }

  /** The stack of the kitty keyboard protocol: what is pushed are the flags before. */
  #observeKeyboard(): void {
    const { parser } = this.#terminal;
    parser.registerCsiHandler({ prefix: '>', final: 'u' }, ([flags]) => {
      const keyboard = this.#keyboard();
      keyboard.stack.push(keyboard.flags);
      keyboard.flags = Number(flags);
      return false;
    });
    parser.registerCsiHandler({ prefix: '<', final: 'u' }, ([count]) => {
      const keyboard = this.#keyboard();
      for (let left = Math.max(1, Number(count)); left > 0; left -= 1)
        keyboard.flags = keyboard.stack.pop() ?? 0;
      return false;
    });
    parser.registerCsiHandler({ prefix: '=', final: 'u' }, ([flags, how]) => {
      const keyboard = this.#keyboard();
      const bits = Number(flags);
      if (how === 2) keyboard.flags |= bits;
      else if (how === 3) keyboard.flags &= ~bits;
      else keyboard.flags = bits;
      return false;
    });
  }

  #keyboard(): Keyboard {
    return this.#keyboards[this.#terminal.buffer.active.type];
  }
}

function blankKeyboards(): Record<'normal' | 'alternate', Keyboard> {
  return { normal: { flags: 0, stack: [] }, alternate: { flags: 0, stack: [] } };
}

function sorted(map: ReadonlyMap<unknown, unknown>): string {
  return [...map]
    .map(([key, value]) => `${String(key)}=${String(value)}`)
    .sort()
    .join(' ');
}
