import { existsSync } from 'node:fs';
import { HoldfastError } from '../../../shared/common/index.js';
import { FIELDS, type Field, type FieldName, type FieldValue } from './fields.js';
import { configFileOf, readConfigFile } from './file.js';
import { BadValue } from './parse.js';
import { clientConfigDirOf, defaultConfigDir, defaultStateDir, type Environment } from './paths.js';
import { Secret } from './secret.js';
import { readTokenFd, readTokenFile } from './token.js';

/** Where a value came from, as a message names it. */
type Source = 'flag' | 'environment' | 'file' | 'default';

/** What was said, by whom. Gathered by the command line; tests fill it by hand. */
export interface ConfigInputs {
  /** As commander names them: `stateDir` for `--state-dir`. Only what was really given. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Without secrets; see `takeSecrets`. */
  readonly env: Environment;
  /** HOLDFAST_TOKEN as it was. */
  readonly token?: string | undefined;
  readonly cwd: string;
}

/** The settings a command asked for, and the ones that every command has. Frozen. */
export type Config<K extends FieldName> = {
  readonly [Name in Exclude<K, 'token' | 'tokenFile' | 'tokenFd' | 'stateDir'>]: FieldValue<Name>;
} & {
  readonly configDir: string;
  readonly configFile: string;
  readonly stateDir: string;
  readonly logLevel: FieldValue<'logLevel'>;
  readonly logFormat: FieldValue<'logFormat'>;
  /** The credential, from wherever it was said. Absent: there is none. */
  readonly token: Secret | undefined;
  readonly sources: Readonly<Partial<Record<FieldName, Source>>>;
};

/**
 * Resolves `names` by flag > environment > config file > default into one frozen object. The only
 * place that looks at any of the four.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT or ERR_CONFIG, naming the setting and its source.
 */
export function resolveConfig<K extends FieldName>(
  names: readonly K[],
  inputs: ConfigInputs,
): Config<K> {
  const sources: Partial<Record<FieldName, Source>> = {};
  const empty = {};
  const early = (name: FieldName): unknown =>
    resolveField(name, inputs, empty, inputs.cwd, sources);

  const stateDirSaid = early('stateDir') as string | undefined;
  const configDir =
    (early('configDir') as string | undefined) ??
    findConfigDir(inputs.env, stateDirSaid ?? defaultStateDir(inputs.env));
  const configFile = configFileOf(configDir);
  const file = readConfigFile(configFile);

  const values: Record<string, unknown> = {};
  for (const name of new Set<FieldName>([...names, 'stateDir', 'logLevel', 'logFormat'])) {
    if (name === 'configDir') continue;
    values[name] = resolveField(name, inputs, file, configDir, sources);
  }
  values['stateDir'] ??= defaultStateDir(inputs.env);
  const token = (names as readonly FieldName[]).includes('token')
    ? resolveToken(inputs, file, configDir, sources)
    : undefined;
  return Object.freeze({
    ...values,
    configDir,
    configFile,
    token,
    sources: Object.freeze(sources),
  }) as unknown as Config<K>;
}

/**
 * The folder of the user, unless only `holdfast up` has left a login: then a newcomer's first
 * `holdfast ssh local` finds it without being told.
 */
function findConfigDir(env: Environment, stateDir: string): string {
  const own = defaultConfigDir(env);
  if (existsSync(configFileOf(own))) return own;
  const ofUp = clientConfigDirOf(stateDir);
  return existsSync(configFileOf(ofUp)) ? ofUp : own;
}

function resolveField(
  name: FieldName,
  { flags, env, cwd }: ConfigInputs,
  file: Readonly<Record<string, unknown>>,
  configDir: string,
  sources: Partial<Record<FieldName, Source>>,
): unknown {
  const field: Field<unknown> & { readonly defaultValue?: unknown } = FIELDS[name];
  const attribute = flagAttribute(field);
  const fromFlag = attribute === undefined ? undefined : flags[attribute];
  const fromEnv = field.env === undefined ? undefined : env[field.env];
  if (fromFlag !== undefined) {
    sources[name] = 'flag';
    const flagName = field.flag?.split(' ')[0] ?? name;
    return parse(field, fromFlag, cwd, flagName, 'ERR_INVALID_ARGUMENT');
  }
  // An empty variable counts as unset, as POSIX tools take it.
  if (fromEnv !== undefined && fromEnv !== '') {
    sources[name] = 'environment';
    return parse(field, fromEnv, cwd, `${field.env ?? name} in the environment`, 'ERR_CONFIG');
  }
  if (field.key !== undefined && Object.hasOwn(file, field.key)) {
    sources[name] = 'file';
    const where = `${JSON.stringify(field.key)} in ${configFileOf(configDir)}`;
    return parse(field, file[field.key], configDir, where, 'ERR_CONFIG');
  }
  sources[name] = 'default';
  return field.defaultValue;
}

function parse(
  field: Field<unknown>,
  value: unknown,
  base: string,
  where: string,
  code: 'ERR_INVALID_ARGUMENT' | 'ERR_CONFIG',
): unknown {
  try {
    return field.parse(value, base);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw new HoldfastError(code, `${where} ${error.message}`, {
      hint: code === 'ERR_CONFIG' ? 'Correct or remove it.' : 'See the --help of the command.',
    });
  }
}

/** A more specific source beats a vaguer one, and within a source the descriptor and file come first. */
function resolveToken(
  inputs: ConfigInputs,
  file: Readonly<Record<string, unknown>>,
  configDir: string,
  sources: Partial<Record<FieldName, Source>>,
): Secret | undefined {
  const at = (name: FieldName): { source: Source; value: unknown } => {
    const value = resolveField(name, inputs, file, configDir, sources);
    return { source: sources[name] ?? 'default', value };
  };
  const fd = at('tokenFd');
  if (fd.value !== undefined) return readTokenFd(fd.value as number);
  const tokenFile = at('tokenFile');
  if (tokenFile.source === 'flag') return readTokenFile(tokenFile.value as string);
  if (inputs.token !== undefined && inputs.token !== '') {
    sources.token = 'environment';
    return new Secret(inputs.token);
  }
  if (tokenFile.source === 'environment') return readTokenFile(tokenFile.value as string);
  const inFile = at('token');
  if (inFile.value !== undefined) return new Secret(inFile.value as string);
  return tokenFile.value === undefined ? undefined : readTokenFile(tokenFile.value as string);
}

/** The attribute under which commander files an option: camel case without the dashes. */
export function flagAttribute(field: Field<unknown>): string | undefined {
  return field.flag
    ?.split(' ')[0]
    ?.replace(/^--/, '')
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
