/** Paints text for one stream. Each method returns its input unchanged where colour is not wanted. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** What decides about colour: is it a terminal, and what does the environment say. */
export interface StyleTarget {
  readonly isTTY?: boolean | undefined;
}

/** Colours on a terminal only, and not with NO_COLOR (https://no-color.org) or TERM=dumb. */
export function styleFor(
  stream: StyleTarget,
  env: Readonly<Record<string, string | undefined>>,
): Style {
  const noColor = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '';
  const on = stream.isTTY === true && !noColor && env['TERM'] !== 'dumb';
  const paint =
    (open: number, close: number) =>
    (text: string): string =>
      on ? `\x1b[${String(open)}m${text}\x1b[${String(close)}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
  };
}

/**
 * `text` on one line and without control characters: what came from elsewhere must not move the
 * cursor, change the title or fake a second line.
 */
export function oneLine(text: string): string {
  return (
    text
      .replace(/\s*[\r\n]+\s*/g, ' ')
      // C0, DEL, C1, and the marks that reorder text.

      .replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '?')
      .trim()
  );
}
