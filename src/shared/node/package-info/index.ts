/** What package.json says of this build. Any Node thread; read once. */
import { readFileSync } from 'node:fs';

// This file is built to dist/src/shared/node/package-info/.
const file = new URL('../../../../../package.json', import.meta.url);

/** Version of this package. */
export const PACKAGE_VERSION: string = (
  JSON.parse(readFileSync(file, 'utf8')) as { version: string }
).version;
