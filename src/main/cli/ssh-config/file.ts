import { mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { HoldfastError } from '../../../shared/common/index.js';
import { writeFileAtomically } from '../config/index.js';
import { editBlock } from './block.js';

/**
 * Puts `block` into the ssh configuration `file`, or takes it out if empty. A link is followed and
 * stays; mode bits stay; the file is replaced in one step.
 * @returns Whether anything changed.
 * @throws {HoldfastError} ERR_CONFIG
 */
export function writeBlock(file: string, block: string): boolean {
  try {
    const target = realTarget(file);
    const existing = readIfThere(target);
    const before = existing?.content ?? '';
    const after = editBlock(before, block);
    if (after === before) return false;
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    writeFileAtomically(target, Buffer.from(after, 'latin1'), existing?.mode ?? 0o600);
    return true;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint = error instanceof HoldfastError ? { hint: error.hint } : {};
    throw new HoldfastError('ERR_CONFIG', `${file}: ${why}`, { cause: error, ...hint });
  }
}

function realTarget(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    if (isMissing(error)) return file;
    throw error;
  }
}

function readIfThere(
  file: string,
): { readonly content: string; readonly mode: number } | undefined {
  try {
    const { mode } = statSync(file);
    return { content: readFileSync(file, 'latin1'), mode: mode & 0o777 };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
