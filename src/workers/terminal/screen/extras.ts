import type { IDisposable, IParser, Terminal } from '@xterm/headless';

/** Private modes that the emulator keeps itself, or that are actions rather than states. */
const KNOWN_MODES = new Set([
  1, 2, 3, 6, 7, 9, 25, 45, 47, 66, 1000, 1002, 1003, 1004, 1006, 1016, 1047, 1048, 1049, 2004,
  2026,
]);
/** Whether the cursor blinks, an option of the emulator, which its reset leaves alone. */
const BLINK = 12;
const MAX_MODES = 64;
const MAX_KEYBOARD_LEVELS = 16;
const MAX_COLOR_SPEC = 64;
/** Foreground, background and cursor: OSC 10 to 12, undone by 110 to 112. */
const SPECIAL_COLORS = [10, 11, 12];

/**
 * State that a terminal has and this emulator does not keep: colours that a program changed, private modes
 * for other emulators, keyboard protocols. Read from the same bytes, beside the emulator's own handlers.
 */
export class Extras {
  readonly #colors = new Map<string, string>();
  readonly #modes = new Map<number, boolean>();
  /** modifyOtherKeys and the like, by resource: the parameters of the last `CSI > ... m`. */
  readonly #keyOptions = new Map<number, string>();
  /** Flags of the kitty keyboard protocol, a stack for each buffer; absent: never used there. */
  readonly #keyboard: { readonly normal: number[]; readonly alternate: number[] } = {
    normal: [],
    alternate: [],
  };
  readonly #terminal: Terminal;
  readonly #handlers: IDisposable[];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    const { parser } = terminal;
    this.#handlers = [
      ...this.#observeColors(parser),
      ...this.#observeKeyboard(parser),
      parser.registerCsiHandler({ prefix: '?', final: 'h' }, (params) =>
        this.#setModes(params, true),
      ),
      parser.registerCsiHandler({ prefix: '?', final: 'l' }, (params) =>
        this.#setModes(params, false),
      ),
      parser.registerEscHandler({ final: 'c' }, () => {
        this.#clear();
        return false;
      }),
    ];
  }

  /** What sets it all, but for the keyboard of the buffers. */
  sequences(): string {
    let out = '';
    for (const [key, spec] of this.#colors) out += `\x1b]${key};${spec}\x1b\\`;
    for (const [mode, on] of this.#modes) out += `\x1b[?${String(mode)}${on ? 'h' : 'l'}`;
    for (const params of this.#keyOptions.values()) out += `\x1b[>${params}m`;
    return out;
  }

  /** What sets the keyboard's state of that buffer, while it is the active one. */
  keyboard(buffer: 'normal' | 'alternate'): string {
    return this.#keyboard[buffer].map((flags) => `\x1b[>${String(flags)}u`).join('');
  }

  dispose(): void {
    for (const handler of this.#handlers) handler.dispose();
  }

  #observeColors(parser: IParser): IDisposable[] {
    return [
      parser.registerOscHandler(4, (data) => {
        const fields = data.split(';');
        for (let at = 0; at + 1 < fields.length; at += 2) {
          const index = Number(fields[at]);
          if (index >= 0 && index < 256) this.#setColor(`4;${String(index)}`, fields[at + 1]);
        }
        return false;
      }),
      parser.registerOscHandler(104, (data) => {
        const kept = new Set(data === '' ? [] : data.split(';').map((index) => `4;${index}`));
        for (const key of this.#colors.keys()) {
          if (key.startsWith('4;') && (kept.size === 0 || kept.has(key))) this.#colors.delete(key);
        }
        return false;
      }),
      ...SPECIAL_COLORS.flatMap((first) => [
        parser.registerOscHandler(first, (data) => {
          data.split(';').forEach((spec, index) => {
            const number = first + index;
            if (SPECIAL_COLORS.includes(number)) this.#setColor(String(number), spec);
          });
          return false;
        }),
        parser.registerOscHandler(first + 100, () => {
          this.#colors.delete(String(first));
          return false;
        }),
      ]),
    ];
  }

  #setColor(key: string, spec: string | undefined): void {
    if (spec === undefined || spec === '' || spec === '?' || spec.length > MAX_COLOR_SPEC) return;
    this.#colors.set(key, spec);
  }

  /** The kitty keyboard protocol: push, pop and set of flags. */
  #observeKeyboard(parser: IParser): IDisposable[] {
    return [
      parser.registerCsiHandler({ prefix: '>', final: 'm' }, (params) => {
        const [resource] = params;
        if (typeof resource === 'number' && resource < 16) {
          this.#keyOptions.set(resource, params.flat().join(';'));
        }
        return false;
      }),
      parser.registerCsiHandler({ prefix: '>', final: 'u' }, (params) => {
        const stack = this.#stack();
        stack.push(numberAt(params, 0, 0));
        if (stack.length > MAX_KEYBOARD_LEVELS) stack.shift();
        return false;
      }),
      parser.registerCsiHandler({ prefix: '<', final: 'u' }, (params) => {
        const stack = this.#stack();
        stack.length = Math.max(0, stack.length - Math.max(1, numberAt(params, 0, 1)));
        return false;
      }),
      parser.registerCsiHandler({ prefix: '=', final: 'u' }, (params) => {
        const stack = this.#stack();
        const flags = numberAt(params, 0, 0);
        const old = stack.pop() ?? 0;
        const how = numberAt(params, 1, 1);
        stack.push(how === 2 ? old | flags : how === 3 ? old & ~flags : flags);
        return false;
      }),
    ];
  }

  #stack(): number[] {
    return this.#keyboard[this.#terminal.buffer.active.type];
  }

  #setModes(params: readonly (number | number[])[], on: boolean): false {
    for (const mode of params) {
      if (typeof mode !== 'number' || KNOWN_MODES.has(mode)) continue;
      if (this.#modes.has(mode) || this.#modes.size < MAX_MODES) this.#modes.set(mode, on);
    }
    return false;
  }

  #clear(): void {
    this.#colors.clear();
    for (const mode of this.#modes.keys()) if (mode !== BLINK) this.#modes.delete(mode);
    this.#keyOptions.clear();
    this.#keyboard.normal.length = 0;
    this.#keyboard.alternate.length = 0;
  }
}

function numberAt(
  params: readonly (number | number[])[],
  index: number,
  otherwise: number,
): number {
  const value = params[index];
  return typeof value === 'number' && value > 0 ? value : otherwise;
}
