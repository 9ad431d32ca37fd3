import type { BigIntStats } from 'node:fs';

import { floorSeconds } from './attrs.js';
import type { Tables } from './accounts.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** `ls` shows the time of day for half a year, then the year. */
const RECENT_SECONDS = (365 * 24 * 60 * 60) / 2;

const TYPE_LETTERS: Readonly<Record<number, string>> = {
  0o010000: 'p',
  0o020000: 'c',
  0o040000: 'd',
  0o060000: 'b',
  0o100000: '-',
  0o120000: 'l',
  0o140000: 's',
};

/**
 * The line that `ls -l` would show, as latin1 text: old clients have nothing else to read owner, links
 * and type from. `name` is latin1 text of the name's bytes; `nowSeconds` is the present time.
 */
export function longName(
  name: string,
  stats: BigIntStats,
  tables: Tables,
  nowSeconds: number,
): string {
  const uid = Number(stats.uid);
  const gid = Number(stats.gid);
  const links = String(stats.nlink).padStart(3);
  const user = (tables.users.get(uid) ?? String(uid)).padEnd(8);
  const group = (tables.groups.get(gid) ?? String(gid)).padEnd(8);
  const size = String(stats.size).padStart(8);
  const date = listDate(Number(floorSeconds(stats.mtimeNs)), nowSeconds);
  return `${modeText(Number(stats.mode))} ${links} ${user} ${group} ${size} ${date} ${name}`;
}

/** Ten letters and a space, as `strmode(3)` of BSD gives: `drwxr-sr-t `. */
export function modeText(mode: number): string {
  const type = TYPE_LETTERS[mode & 0o170000] ?? '?';
  return (
    type +
    triple(mode >> 6, (mode & 0o4000) !== 0, 's') +
    triple(mode >> 3, (mode & 0o2000) !== 0, 's') +
    triple(mode, (mode & 0o1000) !== 0, 't') +
    ' '
  );
}

function triple(bits: number, special: boolean, letter: string): string {
  const read = bits & 4 ? 'r' : '-';
  const write = bits & 2 ? 'w' : '-';
  const run = bits & 1 ? (special ? letter : 'x') : special ? letter.toUpperCase() : '-';
  return read + write + run;
}

function listDate(seconds: number, nowSeconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return '           ?';
  const month = MONTHS[date.getMonth()] ?? '???';
  const day = String(date.getDate()).padStart(2);
  if (seconds > nowSeconds - RECENT_SECONDS && seconds <= nowSeconds + RECENT_SECONDS) {
    const hours = String(date.getHours()).padStart(2, '0');
    const minutes = String(date.getMinutes()).padStart(2, '0');
    return `${month} ${day} ${hours}:${minutes}`;
  }
  return `${month} ${day}  ${date.getFullYear()}`;
}
