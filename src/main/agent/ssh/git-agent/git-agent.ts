import { chmodSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import {
  HoldfastError,
  once,
  wrapError,
  type Closable,
  type Logger,
} from '../../../../shared/common/index.js';
import {
  AgentFramer,
  encodeFailure,
  encodeIdentities,
  encodeSignature,
  parseAgentRequest,
  type AgentRequest,
} from './codec.js';
import { parseGitKey, type GitKey } from './git-key.js';

export interface GitAgentOptions {
  readonly logger: Logger;
  /** Path of the socket; its folder is made 0700. Becomes HOLDFAST_GIT_SOCK. */
  readonly path: string;
  /** Fetches the private key; called when it is first needed. Absent or rejecting: there is none. */
  readonly gitKey: () => (() => Promise<string>) | undefined;
}

const MAX_CONNECTIONS = 64;
const COMMENT = 'holdfast workspace key';

/**
 * An ssh-agent that holds one key, the workspace's Git key, fetched on first use and kept in memory. Any
 * process of the agent's user can sign with it, and none can read it.
 */
export class GitAgent implements Closable {
  readonly #options: GitAgentOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #key: Promise<GitKey | undefined> | undefined;

  constructor(options: GitAgentOptions) {
    this.#options = options;
  }

  /** @throws {HoldfastError} ERR_STATE_DIR when the socket cannot be made. */
  async start(): Promise<void> {
    const { path } = this.#options;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Ours alone: the folder is 0700, so what is there is a left-over of an agent that was killed.
    await rm(path, { force: true });
    const server = createServer((socket) => {
      this.#serve(socket);
    });
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        reject(wrapError(error, 'ERR_STATE_DIR', `listen on ${path}`));
      });
      server.listen({ path }, resolve);
    });
    chmodSync(path, 0o600);
    server.on('error', () => undefined);
    this.#server = server;
  }

  /** Forgets the key, so that a new one is fetched; for when the agent has dialled anew. */
  forget(): void {
    this.#key = undefined;
  }

  readonly close = once(async () => {
    this.#key = undefined;
    const server = this.#server;
    if (server === undefined) return;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  });

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    const framer = new AgentFramer();
    // Answers go out in the order of the requests, so each waits for the one before.
    let last: Promise<void> = Promise.resolve();
    socket.on('data', (chunk) => {
      try {
        for (const message of framer.push(chunk)) {
          const request = parseAgentRequest(message);
          last = last.then(async () => {
            socket.write(await this.#answer(request));
          });
        }
      } catch (error) {
        this.#options.logger.info('a client of the git agent was ended', { error });
        socket.destroy();
      }
    });
  }

  async #answer(request: AgentRequest): Promise<Buffer> {
    if (request.type === 'unsupported') return encodeFailure();
    const key = await this.#load();
    if (request.type === 'identities') {
      return encodeIdentities(key === undefined ? [] : [{ blob: key.blob, comment: COMMENT }]);
    }
    if (key === undefined || !key.blob.equals(request.keyBlob)) return encodeFailure();
    const signature = key.sign(request.data, request.flags);
    return signature === undefined ? encodeFailure() : encodeSignature(signature);
  }

  /** The key, fetched once for all who wait; a failure is not kept, so that the next use tries again. */
  async #load(): Promise<GitKey | undefined> {
    const loading = (this.#key ??= this.#fetch());
    try {
      return await loading;
    } catch (error) {
      if (this.#key === loading) this.#key = undefined;
      this.#options.logger.warn('the git key could not be fetched', { error });
      return undefined;
    }
  }

  async #fetch(): Promise<GitKey> {
    const fetch = this.#options.gitKey();
    if (fetch === undefined) throw new HoldfastError('ERR_GIT_KEY', 'the workspace has no Git key');
    return parseGitKey(await fetch());
  }
}
