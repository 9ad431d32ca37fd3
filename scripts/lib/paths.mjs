import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone's root folder. Every script works from any current folder. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** `parts` under the root. */
export const inRoot = (...parts) => path.join(ROOT, ...parts);

/** The programs of this package: name, and built file under the root. */
export const ownPrograms = () => JSON.parse(readFileSync(inRoot('package.json'), 'utf8')).bin;
