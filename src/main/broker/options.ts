import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import { HoldfastError, silentLogger, wrapError, type Logger } from '../../shared/common/index.js';
import { readSecretFile } from '../../shared/node/state/index.js';
import type { IceOptions } from './signalling/index.js';
import type { BrokerOptions } from './types.js';

export const DEFAULT_PORT = 7420;

/** {@link BrokerOptions} with every default in place and every file read. */
export interface ResolvedBrokerOptions {
  readonly stateDir: string;
  readonly host: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly publicUrl: string | undefined;
  readonly ice: IceOptions;
  readonly webRoot: string;
  readonly logger: Logger;
  /** Whether only this machine can reach it, so that numbers about it need no credential. */
  readonly isLocal: boolean;
}

/** @throws {HoldfastError} ERR_INVALID_ARGUMENT naming the option, or ERR_CONFIG naming the file. */
export async function resolveOptions(options: BrokerOptions): Promise<ResolvedBrokerOptions> {
  const { host = '127.0.0.1', port = DEFAULT_PORT, tls, publicUrl, turn, stun = [] } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw invalid('port', 'must be a whole number from 0 to 65535');
  const loopback = isLoopback(host);
  if (!loopback && tls === undefined && options.allowInsecureListen !== true)
    throw new HoldfastError(
      'ERR_INVALID_ARGUMENT',
      `host ${host} is not loopback and there is no TLS certificate`,
      {
        hint: 'Give --tls-cert and --tls-key, or --allow-insecure-listen if a proxy in front ends TLS.',
      },
    );
  for (const url of stun) requireScheme('stun', url, /^stuns?:[^\s]+$/);
  for (const url of turn?.urls ?? []) requireScheme('turn', url, /^turns?:[^\s]+$/);
  return Object.freeze({
    stateDir: options.stateDir,
    host,
    port,
    scheme: tls === undefined ? 'http' : 'https',
    tls:
      tls === undefined
        ? undefined
        : {
            cert: await read('tls.certFile', tls.certFile),
            key: await read('tls.keyFile', tls.keyFile),
          },
    publicUrl: publicUrl === undefined ? undefined : originOf(publicUrl),
    ice: {
      stun,
      turn:
        turn === undefined
          ? undefined
          : { urls: turn.urls, secret: await turnSecret(turn.secretFile) },
    },
    webRoot: options.webRoot ?? fileURLToPath(new URL('../../../web', import.meta.url)),
    logger: options.logger ?? silentLogger,
    isLocal: loopback && publicUrl === undefined,
  } satisfies ResolvedBrokerOptions);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function originOf(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid('publicUrl', 'is not an address');
  }
  if (!/^https?:$/.test(url.protocol) || (text !== url.origin && text !== `${url.origin}/`))
    throw invalid('publicUrl', 'must be an origin such as https://broker.example, without a path');
  return url.origin;
}

function requireScheme(option: string, url: string, form: RegExp): void {
  if (!form.test(url)) throw invalid(option, `${JSON.stringify(url)} is no ${option}: address`);
}

async function read(option: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw wrapError(error, 'ERR_CONFIG', option);
  }
}

async function turnSecret(file: string): Promise<string> {
  const secret = (await readSecretFile(file))?.toString('utf8').trim();
  if (secret === undefined || secret === '')
    throw new HoldfastError('ERR_CONFIG', `turn.secretFile: ${file} is missing or empty`);
  return secret;
}

function invalid(option: string, why: string): HoldfastError {
  return new HoldfastError('ERR_INVALID_ARGUMENT', `${option} ${why}`);
}
