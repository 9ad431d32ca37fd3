import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { HoldfastError } from '../../../shared/common/index.js';
import { FIELDS } from './fields.js';
import { nearest } from './suggest.js';

/** The config file inside a config folder. */
export function configFileOf(configDir: string): string {
  return join(configDir, 'config.json');
}

const KEYS = Object.values(FIELDS).flatMap((field) => ('key' in field ? [field.key] : []));

/**
 * The settings in `file`, unparsed. A missing file has none.
 * @throws {HoldfastError} ERR_CONFIG if it is unreadable, not an object, holds an unknown key, or
 * holds a token that others may read.
 */
export function readConfigFile(file: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return {};
    throw new HoldfastError('ERR_CONFIG', `cannot read ${file}: ${reason(error)}`, {
      cause: error,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the text, which may hold a token.
    throw new HoldfastError('ERR_CONFIG', `${file} is not valid JSON`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HoldfastError('ERR_CONFIG', `${file} must hold one JSON object`);
  }
  for (const key of Object.keys(value)) {
    if (KEYS.includes(key)) continue;
    const near = nearest(key, KEYS);
    throw new HoldfastError(
      'ERR_CONFIG',
      `${file}: unknown setting ${JSON.stringify(key)}${near === undefined ? '' : ` (did you mean ${JSON.stringify(near)}?)`}`,
    );
  }
  if ('token' in value) refuseReadable(file);
  return value as Record<string, unknown>;
}

/**
 * Refuses a file with a secret that group or others may read.
 * @throws {HoldfastError} ERR_CONFIG with the command that repairs it.
 */
export function refuseReadable(file: string): void {
  if (process.platform === 'win32') return;
  const { mode } = statSync(file);
  if ((mode & 0o077) === 0) return;
  throw new HoldfastError('ERR_CONFIG', `${file} holds a token and others may read it`, {
    hint: `Run: chmod 600 ${file}`,
  });
}

/**
 * Changes settings in the config file of `configDir`; `undefined` removes one. The folder is made
 * 0700 and the file 0600, and a reader sees the old file or the new one, never half of it.
 * @throws {HoldfastError} ERR_CONFIG
 */
export function updateConfigFile(
  configDir: string,
  changes: Readonly<Record<string, unknown>>,
): string {
  const file = configFileOf(configDir);
  const settings = { ...readConfigFile(file), ...changes };
  try {
    mkdirSync(configDir, { recursive: true, mode: 0o700 });
    writeFileAtomically(file, `${JSON.stringify(settings, null, 2)}\n`, 0o600);
  } catch (error) {
    throw new HoldfastError('ERR_CONFIG', `cannot write ${file}: ${reason(error)}`, {
      cause: error,
    });
  }
  return file;
}

/** Replaces `file` in one step, with exactly `mode`. */
export function writeFileAtomically(
  file: string,
  content: string | Uint8Array,
  mode: number,
): void {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, content, { mode, flag: 'wx', flush: true });
    // The umask may have taken bits away.
    chmodSync(temporary, mode);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
