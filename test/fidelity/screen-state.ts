import type { Inside, InsideAttributes, InsideBuffer, InsideLine, InsideLink } from './inside.js';

const UNDERLINE = 0x10000000;
const EXTENDED = 0x10000000;
const DASHED = 5;

type Links = ReadonlyMap<number, InsideLink>;

/** What is on the screen of an emulator, and what it holds that decides about what comes next. */
export function screenFacts(inside: Inside, links: Links): string[] {
  const { _bufferService: service, coreService, _charsetService: charsets } = inside;
  const { _normal: normal, _alt: alternate, _activeBuffer: active } = service.buffers;
  const { _inputHandler: input, coreMouseService: mouse, optionsService } = inside;
  const facts: string[] = [];
  const fact = (name: string, value: unknown): void => {
    facts.push(`${name}: ${JSON.stringify(value)}`);
  };
  fact('size', [service.rows, service.cols]);
  fact('active', active === normal ? 'normal' : 'alternate');
  facts.push(...bufferFacts('normal', normal, inside, links));
  if (active === alternate) facts.push(...bufferFacts('alternate', alternate, inside, links));
  fact('normal saved', saved(normal, inside, links));
  fact('alternate saved', saved(alternate, inside, links));
  fact('cursor', [active.x, active.y]);
  fact('pen', attributes(input._curAttrData, links, false));
  fact('pen underline colour', color(input._curAttrData.extended?._ext ?? 0));
  fact('modes', { ...coreService.decPrivateModes, ...coreService.modes });
  fact('newline', optionsService.rawOptions.convertEol);
  fact('blink', optionsService.rawOptions.cursorBlink);
  fact('hidden', coreService.isCursorHidden);
  fact('mouse', [mouse.activeProtocol, mouse.activeEncoding]);
  const sets = [0, 1, 2, 3].map((slot) => charsets._charsets[slot]);
  fact('charset', [charsets.charset, charsets.glevel, sets]);
  fact('title', [input._windowTitle, input._iconName]);
  fact('parser', input._parser.currentState);
  fact('joins', input._parser.precedingJoinState !== 0);
  return facts;
}

function bufferFacts(name: string, buffer: InsideBuffer, inside: Inside, links: Links): string[] {
  const { rows, cols } = inside._bufferService;
  const facts: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    const line = buffer.lines.get(buffer.ybase + row);
    const text = line === undefined ? 'none' : cells(line, links);
    facts.push(`${name} ${String(row)}${line?.isWrapped === true ? ' wrapped' : ''}: ${text}`);
  }
  const stops = Array.from({ length: cols }, (_, x) => (buffer.tabs[x] === true ? x : -1));
  facts.push(`${name} margins: ${String(buffer.scrollTop)} ${String(buffer.scrollBottom)}`);
  facts.push(`${name} tabs: ${stops.filter((x) => x >= 0).join(' ')}`);
  return facts;
}

/** As a DECRC would take it: clamped to the screen, and with the attributes that it restores. */
function saved(buffer: InsideBuffer, inside: Inside, links: Links): object {
  const { rows, cols } = inside._bufferService;
  return {
    x: Math.min(buffer.savedX, cols - 1),
    y: Math.min(rows - 1, Math.max(0, buffer.savedY - buffer.ybase)),
    pen: attributes(buffer.savedCurAttrData, links, false),
    underlineColour: color(buffer.savedCurAttrData.extended?._ext ?? 0),
    charset: buffer.savedCharset,
  };
}

/** The cells of a line; `~` is an empty one, `<` the second half of a wide character. */
function cells(line: InsideLine, links: Links): string {
  let out = '';
  let last = '';
  for (let x = 0; x < line.length; x += 1) {
    const width = line.getWidth(x);
    const now = attributes(
      {
        fg: line._data[3 * x + 1] ?? 0,
        bg: line._data[3 * x + 2] ?? 0,
        extended: line._extendedAttrs[x],
      },
      links,
      true,
    );
    if (now !== last) out += `{${now}}`;
    last = now;
    const text = line.getString(x);
    out += text === '' ? (width === 0 ? '<' : '~') : text;
    if (width !== 1 && text !== '') out += String(width);
  }
  return out;
}

/** @param isDrawn of a cell: a link is drawn in a way of its own, whatever the underline of the pen was. */
function attributes(
  { fg, bg, extended }: InsideAttributes,
  links: Links,
  isDrawn: boolean,
): string {
  let out = `${foreground(fg)} ${background(bg)}`;
  if ((bg & EXTENDED) !== 0 && extended !== undefined) {
    const link = links.get(extended.urlId);
    const own = (extended._ext >>> 26) & 7 || ((fg & UNDERLINE) === 0 ? 0 : 1);
    const style = isDrawn && link !== undefined ? DASHED : own;
    // DECALN sets the flag for cells that have none of it.
    if (style !== 0 || link !== undefined) {
      const hue = color(extended._ext).toString(16);
      out += ` u${String(style)} ${hue} ${link?.uri ?? ''} ${link?.id ?? ''}`;
    }
  } else if ((fg & UNDERLINE) !== 0) {
    out += ' u1 0  ';
  }
  return out === '0 0' ? '' : out;
}

function foreground(word: number): string {
  return (((word & 0xfc000000) | color(word)) >>> 0).toString(16);
}

/** Without the flag that says whether there are extended attributes, which are compared themselves. */
function background(word: number): string {
  return (((word & 0xec000000) | color(word)) >>> 0).toString(16);
}

/** Bits beyond those of the mode are left over from a colour of another mode, and mean nothing. */
function color(word: number): number {
  const mode = word & 0x3000000;
  if (mode === 0) return 0;
  return mode === 0x3000000 ? word & 0x3ffffff : word & 0x30000ff;
}
