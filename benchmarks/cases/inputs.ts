import path from 'node:path';
import type { CaseContext } from '../harness/index.js';
import { writeColourText, writeUtf8Text } from './colour-text.js';

/** What is printed: a shell command and how many bytes come of it. */
export interface Input {
  readonly name: string;
  readonly producer: string;
  readonly bytes: number;
}

export const ZEROS = 'zeros';
export const COLOURS = 'colour-heavy text';
export const UTF8 = 'UTF-8 text';

/** Writes `bytes` bytes of text in a few files and prints them one after the other, from the page cache. */
export function textInput(
  { scratch, random, scale }: Pick<CaseContext, 'scratch' | 'random' | 'scale'>,
  name: typeof COLOURS | typeof UTF8,
  bytes: number,
): Input {
  const pieces = scale === 'tiny' ? 2 : 16;
  const file = path.join(scratch, name === COLOURS ? 'colours' : 'utf8');
  const write = name === COLOURS ? writeColourText : writeUtf8Text;
  write(file, bytes / pieces, random);
  const files = Array.from({ length: pieces }, () => file).join(' ');
  return { name, producer: `cat ${files}`, bytes };
}

export function zeros(bytes: number): Input {
  return { name: ZEROS, producer: `head -c ${String(bytes)} /dev/zero`, bytes };
}
