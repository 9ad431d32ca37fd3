import { HoldfastError } from '../../../shared/common/index.js';

/** First and last line of what `config-ssh` owns in a file. */
export const BEGIN_MARK = '# >>> holdfast >>>';
export const END_MARK = '# <<< holdfast <<<';

/**
 * `content` with the marked block replaced by `block`, or put at the top if there is none yet: ssh
 * takes the first value it finds, so what a later `Host *` says must not win. Every byte outside the
 * block stays. `content` is the file in latin1, so that bytes of any encoding survive.
 * @param block Lines between the marks, each ending in a line break. Empty: the block is removed.
 * @throws {HoldfastError} ERR_CONFIG if the marks are not one well-formed pair.
 */
export function editBlock(content: string, block: string): string {
  const found = findBlock(content);
  const text = block === '' ? '' : `${BEGIN_MARK}\n${toLatin1(block)}${END_MARK}\n`;
  if (found === undefined) return text === '' ? content : text + content;
  return content.slice(0, found.start) + text + content.slice(found.end);
}

/** Where the block stands, marks and the line break after it included. Absent: there is none. */
function findBlock(content: string): { readonly start: number; readonly end: number } | undefined {
  const begins = linesWith(content, BEGIN_MARK);
  const ends = linesWith(content, END_MARK);
  const [begin] = begins;
  const [end] = ends;
  if (begin === undefined && end === undefined) return undefined;
  if (begins.length !== 1 || ends.length !== 1 || begin === undefined || end === undefined) {
    throw marksBroken();
  }
  if (end.start < begin.end) throw marksBroken();
  return { start: begin.start, end: end.end };
}

function marksBroken(): HoldfastError {
  return new HoldfastError(
    'ERR_CONFIG',
    `the lines "${BEGIN_MARK}" and "${END_MARK}" do not stand there as one pair`,
    { hint: 'Remove both lines and what is between them by hand, then run this again.' },
  );
}

/** Lines that say `mark` and nothing else; a carriage return before the line break is tolerated. */
function linesWith(content: string, mark: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let start = 0;
  while (start < content.length) {
    const at = content.indexOf('\n', start);
    const end = at === -1 ? content.length : at + 1;
    if (content.slice(start, end).trim() === mark) found.push({ start, end });
    start = end;
  }
  return found;
}

function toLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
