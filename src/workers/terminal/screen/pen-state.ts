/** What each SGR parameter sets or ends, by a name of its own for each independent attribute. */
const SETS: Readonly<Record<number, string>> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'underline',
  5: 'blink',
  7: 'inverse',
  8: 'invisible',
  9: 'strikethrough',
  21: 'underline',
  53: 'overline',
  59: 'underlineColor',
};
const ENDS: Readonly<Record<number, readonly string[]>> = {
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['underline'],
  25: ['blink'],
  27: ['inverse'],
  28: ['invisible'],
  29: ['strikethrough'],
  39: ['foreground'],
  49: ['background'],
  55: ['overline'],
};
const COLORS: Readonly<Record<number, string>> = {
  38: 'foreground',
  48: 'background',
  58: 'underlineColor',
};
/** Parameters beyond these an emulator may leave out. */
const MAX_PARAMETERS = 24;
const WITH_COLONS = /^(?:4:[0-5]|[345]8:5:\d{1,3}|[345]8:2:\d{0,3}:\d{1,3}:\d{1,3}:\d{1,3})$/;
const SGR = /\x1b\[([\d;:]*)m/g;

/** The attributes that plain text is written with, followed without an emulator. */
export class PenState {
  readonly #parameters = new Map<string, string>();

  /** Whether all attributes are reset somewhere in `text`, so that what came before it does not matter. */
  static isReset(text: string): boolean {
    return lastReset(text) >= 0;
  }

  /**
   * Takes in all SGR sequences of `text`. False: one of them is odd, and what it does is the emulator's
   * secret.
   */
  take(text: string): boolean {
    // What came before the last full reset does not matter, which saves nearly all of the work.
    const reset = lastReset(text);
    if (reset >= 0) this.#parameters.clear();
    SGR.lastIndex = Math.max(0, reset);
    for (let match = SGR.exec(text); match !== null; match = SGR.exec(text)) {
      if (!this.#apply((match[1] ?? '').split(';'))) return false;
    }
    return true;
  }

  /** What sets the attributes, from the default ones. */
  sequence(): string {
    if (this.#parameters.size === 0) return '';
    return `\x1b[${[...this.#parameters.values()].join(';')}m`;
  }

  #apply(parameters: readonly string[]): boolean {
    if (parameters.length > MAX_PARAMETERS) return false;
    for (let at = 0; at < parameters.length; at += 1) {
      const parameter = parameters[at] as string;
      if (parameter.includes(':')) {
        if (!this.#applyWithColons(parameter)) return false;
        continue;
      }
      const number = Number(parameter);
      const color = COLORS[number];
      if (color === undefined) {
        this.#applySimple(number);
        continue;
      }
      const count = parameters[at + 1] === '5' ? 3 : parameters[at + 1] === '2' ? 5 : 0;
      const fields = parameters.slice(at, at + count);
      if (count === 0 || fields.length < count) return false;
      if (fields.some((field) => !/^\d{1,3}$/.test(field))) return false;
      this.#parameters.set(color, fields.join(';'));
      at += count - 1;
    }
    return true;
  }

  #applyWithColons(parameter: string): boolean {
    if (!WITH_COLONS.test(parameter)) return false;
    const number = Number.parseInt(parameter, 10);
    if (parameter === '4:0') this.#parameters.delete('underline');
    else this.#parameters.set(number === 4 ? 'underline' : (COLORS[number] as string), parameter);
    return true;
  }

  #applySimple(number: number): void {
    if (number === 0) {
      this.#parameters.clear();
    } else if ((number >= 30 && number <= 37) || (number >= 90 && number <= 97)) {
      this.#parameters.set('foreground', String(number));
    } else if ((number >= 40 && number <= 47) || (number >= 100 && number <= 107)) {
      this.#parameters.set('background', String(number));
    } else {
      const set = SETS[number];
      if (set !== undefined) this.#parameters.set(set, String(number));
      for (const name of ENDS[number] ?? []) this.#parameters.delete(name);
    }
  }
}

function lastReset(text: string): number {
  return Math.max(text.lastIndexOf('\x1b[0m'), text.lastIndexOf('\x1b[m'));
}
