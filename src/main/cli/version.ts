import { readFileSync } from 'node:fs';

/** The version in package.json. This file is built to dist/src/main/cli/. */
export function readVersion(): string {
  const file = new URL('../../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}
