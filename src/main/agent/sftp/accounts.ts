import { readFile } from 'node:fs/promises';

/** A login of the system's user database. Names are bytes held as latin1 text. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

/** How long what was read is believed. A long listing asks for names a thousand times a second. */
const FRESH_MS = 30_000;

/** What the two files say. Names and homes are latin1 text of the bytes there. */
export interface Tables {
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
  readonly accounts: ReadonlyMap<string, Account>;
}

/**
 * Names of users and groups from /etc/passwd and /etc/group. Network directories are not asked: a
 * listing must not wait for one, and a number is shown where no name is known.
 */
export class Accounts {
  #tables: Promise<Tables> | undefined;
  #readAt = -Infinity;

  /** The tables, read again when they are old. Missing files count as empty. Never rejects. */
  tables(): Promise<Tables> {
    const now = performance.now();
    if (this.#tables === undefined || now - this.#readAt > FRESH_MS) {
      this.#readAt = now;
      this.#tables = readTables();
    }
    return this.#tables;
  }
}

async function readTables(): Promise<Tables> {
  const users = new Map<number, string>();
  const groups = new Map<number, string>();
  const accounts = new Map<string, Account>();
  for (const [name, , uidText, , , home] of await rows('/etc/passwd')) {
    const uid = Number(uidText);
    if (name === undefined || home === undefined || !Number.isInteger(uid)) continue;
    // The first entry of a number or name is the one that counts, as for getpwuid and getpwnam.
    if (!users.has(uid)) users.set(uid, name);
    if (!accounts.has(name)) accounts.set(name, { name, uid, home });
  }
  for (const [name, , gidText] of await rows('/etc/group')) {
    const gid = Number(gidText);
    if (name !== undefined && Number.isInteger(gid) && !groups.has(gid)) groups.set(gid, name);
  }
  return { users, groups, accounts };
}

async function rows(path: string): Promise<string[][]> {
  try {
    const text = await readFile(path, 'latin1');
    return text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}
