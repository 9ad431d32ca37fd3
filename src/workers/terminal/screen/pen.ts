import {
  BG,
  COLOR_16,
  COLOR_256,
  COLOR_BITS,
  COLOR_MODE,
  COLOR_RGB,
  FG,
  type Attributes,
  type ExtendedAttributes,
  type Link,
} from './internals.js';

const UNDERLINE_STYLE = 0x1c000000;
const UNDERLINE_STYLE_SHIFT = 26;
const NO_LINK = '\x1b]8;;\x1b\\';

/**
 * Attributes as the sequences that set them. Remembers what the emulator's pen holds, so that nothing is
 * sent twice. Takes the cells' own words and keeps apart what looks alike, such as red as one of 16 and as
 * one of 256 colours, since a theme may tell them apart.
 */
export class Pen {
  readonly #links: ReadonlyMap<number, Link>;
  #fg = 0;
  #bg = 0;
  #ext = 0;
  #link = 0;

  /** @param links by the number that cells name them with. */
  constructor(links: ReadonlyMap<number, Link>) {
    this.#links = links;
  }

  /** What makes the pen write `fg`, `bg` and `extended`. Empty: it does already. */
  set(fg: number, bg: number, extended: ExtendedAttributes | undefined): string {
    const ext = extended === undefined ? 0 : extended._ext & (UNDERLINE_STYLE | COLOR_BITS);
    const link = extended?.urlId ?? 0;
    const plainBg = bg & ~BG.extended;
    let out = '';
    if (fg !== this.#fg || plainBg !== this.#bg || ext !== this.#ext) {
      out = `\x1b[${sgrParameters(fg, plainBg, ext)}m`;
      // SGR 0 switches protection off as well, in this emulator.
      if ((plainBg & BG.protected) !== 0) out += '\x1b[1"q';
      this.#fg = fg;
      this.#bg = plainBg;
      this.#ext = ext;
    }
    if (link !== this.#link) {
      out += this.#hyperlink(link);
      this.#link = link;
    }
    return out;
  }

  /** The same for the attributes that an emulator writes with. */
  setTo({ fg, bg, extended }: Attributes): string {
    return this.set(fg, bg, extended);
  }

  /** Saves the cursor with the attributes that a DECRC shall restore. */
  save(attributes: Attributes): string {
    return `${this.setTo(attributes)}\x1b7`;
  }

  reset(): string {
    return this.set(0, 0, undefined);
  }

  /** After a DECRC, which changes the pen: what makes it the default one, come what may. */
  forget(): string {
    this.#fg = 0;
    this.#bg = 0;
    this.#ext = 0;
    this.#link = 0;
    return `\x1b[m${NO_LINK}`;
  }

  #hyperlink(link: number): string {
    const data = this.#links.get(link);
    if (data === undefined) return NO_LINK;
    const id = data.id === undefined ? '' : `id=${data.id}`;
    return `\x1b]8;${id};${data.uri}\x1b\\`;
  }
}

function sgrParameters(fg: number, bg: number, ext: number): string {
  let out = '';
  if ((fg & FG.bold) !== 0) out += ';1';
  if ((bg & BG.dim) !== 0) out += ';2';
  if ((bg & BG.italic) !== 0) out += ';3';
  const style = (ext & UNDERLINE_STYLE) >>> UNDERLINE_STYLE_SHIFT;
  if ((fg & FG.underline) !== 0) out += style > 1 ? `;4:${String(style)}` : ';4';
  if ((fg & FG.blink) !== 0) out += ';5';
  if ((fg & FG.inverse) !== 0) out += ';7';
  if ((fg & FG.invisible) !== 0) out += ';8';
  if ((fg & FG.strikethrough) !== 0) out += ';9';
  if ((bg & BG.overline) !== 0) out += ';53';
  out += color(fg, 30, 90, '38') + color(bg, 40, 100, '48') + underlineColor(ext);
  return out === '' ? '' : `0${out}`;
}

function color(word: number, low: number, high: number, extended: string): string {
  const index = word & 0xff;
  switch (word & COLOR_MODE) {
    case COLOR_16:
      return `;${String(index < 8 ? low + index : high + (index & 7))}`;
    case COLOR_256:
      return `;${extended};5;${String(index)}`;
    case COLOR_RGB:
      return `;${extended};2;${String((word >>> 16) & 0xff)};${String((word >>> 8) & 0xff)};${String(index)}`;
    default:
      return '';
  }
}

/** With colons, which emulators that know no underline colours skip as one parameter. */
function underlineColor(ext: number): string {
  switch (ext & COLOR_MODE) {
    case COLOR_256:
      return `;58:5:${String(ext & 0xff)}`;
    case COLOR_RGB:
      return `;58:2::${String((ext >>> 16) & 0xff)}:${String((ext >>> 8) & 0xff)}:${String(ext & 0xff)}`;
    default:
      return '';
  }
}
