/** What package.json says of this build. Any Node thread; read once. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// This file is built to dist/src/shared/node/package-info/.
const file = new URL('../../../../../package.json', import.meta.url);

const info = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly version: string;
  readonly bin: { readonly holdfast: string };
};

/** Version of this package. */
export const PACKAGE_VERSION: string = info.version;

/** The built file of the command line, for whoever is told to run it. */
export const PROGRAM_FILE = fileURLToPath(new URL(info.bin.holdfast, file));
