import { fstatSync, readFileSync } from 'node:fs';
import { HoldfastError } from '../../../shared/common/index.js';
import { refuseReadable } from './file.js';
import { Secret } from './secret.js';

/** Longest token that is read; real ones are far shorter. */
const TOKEN_BYTES = 4_096;

/** Environment variables that hold a credential. They never reach a child. */
const SECRET_VARIABLES = ['HOLDFAST_TOKEN'] as const;

/**
 * Takes every credential out of `env` and returns what was in it. Called on `process.env` first thing,
 * so that no child started later inherits one. What the kernel shows in /proc/PID/environ is the
 * process's first environment, which no program can rewrite from within Node: prefer --token-file.
 */
export function takeSecrets(env: NodeJS.ProcessEnv): { readonly token: string | undefined } {
  const token = env['HOLDFAST_TOKEN'];
  for (const name of SECRET_VARIABLES) Reflect.deleteProperty(env, name);
  return { token };
}

/** @throws {HoldfastError} ERR_CONFIG or ERR_INVALID_ARGUMENT naming the file. */
export function readTokenFile(file: string): Secret {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HoldfastError('ERR_CONFIG', `cannot read the token file: ${why}`, { cause: error });
  }
  refuseReadable(file);
  return parseToken(content, file);
}

/** Reads to the end of `fd`. @throws {HoldfastError} ERR_INVALID_ARGUMENT if it is not open. */
export function readTokenFd(fd: number): Secret {
  try {
    fstatSync(fd);
    return parseToken(readFileSync(fd, 'utf8'), `file descriptor ${String(fd)}`);
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw new HoldfastError(
      'ERR_INVALID_ARGUMENT',
      `--token-fd ${String(fd)}: cannot read this file descriptor`,
      { cause: error },
    );
  }
}

/**
 * The token in what somebody pasted or piped.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT; the message never quotes it.
 */
export function parseToken(content: string, from: string): Secret {
  const token = content.trim();
  if (token === '') throw new HoldfastError('ERR_INVALID_ARGUMENT', `no token in ${from}`);
  if (token.length > TOKEN_BYTES || !/^[\x21-\x7e]+$/.test(token)) {
    throw new HoldfastError(
      'ERR_INVALID_ARGUMENT',
      `what is in ${from} does not look like a token`,
    );
  }
  return new Secret(token);
}
