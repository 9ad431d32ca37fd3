/**
 * The one place where flags, environment, config file and defaults meet, and the only reader of
 * `HOLDFAST_*`. Everything behind it gets one frozen object. Main thread of whichever command runs.
 */
export { DEFAULT_PORT, FIELDS, type Field, type FieldName } from './fields.js';
export { configFileOf, updateConfigFile, writeFileAtomically } from './file.js';
export { BadValue, duration, type ListenAddress } from './parse.js';
export { clientConfigDirOf, defaultConfigDir, defaultStateDir, type Environment } from './paths.js';
export { flagAttribute, resolveConfig, type Config, type ConfigInputs } from './resolve.js';
export { Secret } from './secret.js';
export { nearest } from './suggest.js';
export { parseToken, takeSecrets } from './token.js';
