import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { MessageChannel } from 'node:worker_threads';
import ssh2, { type Client, type ConnectConfig } from 'ssh2';
import {
  createLogger,
  HoldfastError,
  limits,
  type ConnectionId,
  type LogRecord,
} from '../../src/shared/common/index.js';
import { parseMetadata, Permissions } from '../../src/shared/common/wire/index.js';
import { ChannelDuplex, PortChannel } from '../../src/shared/node/ports/index.js';
import { generateIdentity } from '../../src/shared/node/state/index.js';
import {
  createPrepareCommand,
  ProcessRegistry,
  type PrepareOptions,
} from '../../src/main/agent/process/index.js';
import {
  createSshServer,
  type SshServer,
  type SshServerOptions,
} from '../../src/main/agent/ssh/index.js';

export interface HarnessOptions {
  readonly scopes?: readonly string[];
  readonly server?: Partial<SshServerOptions>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly agentEnv?: Readonly<Record<string, string>>;
  readonly prepare?: PrepareOptions;
}

export interface Finished {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** The script behind ProxyCommand: standard streams to a unix socket, half-closes included. */
const PROXY = `
const socket = require('net').connect({ path: process.argv[2], allowHalfOpen: true });
process.stdin.pipe(socket);
socket.pipe(process.stdout);
socket.on('error', () => process.exit(1));
socket.on('close', () => process.exit(0));
`;

/**
 * An SSH server of the agent on real ports, reachable by OpenSSH and by ssh2's client. What crosses is
 * what crosses in the agent: a PortChannel pair, one end in the server, the other joined to a socket.
 */
export class SshHarness {
  readonly dir = mkdtempSync(join(tmpdir(), 'holdfast-ssh-'));
  readonly records: LogRecord[] = [];
  readonly registry = new ProcessRegistry();
  readonly server: SshServer;
  readonly hostKey = generateIdentity();
  /** Our ends of the channels that were served, newest last. */
  readonly streams: Duplex[] = [];
  readonly #socket = join(this.dir, 's');
  readonly #permissions: Permissions;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  readonly #children = new Set<ChildProcess>();
  #connections = 0;

  constructor(options: HarnessOptions = {}) {
    this.#permissions = new Permissions(options.scopes ?? ['owner']);
    const prepare = createPrepareCommand(options.prepare);
    const context = {
      metadata: parseMetadata({ directory: this.dir, ...options.metadata }),
      agentEnv: options.agentEnv ?? {},
    };
    this.server = createSshServer({
      logger: createLogger((record) => this.records.push(record)),
      hostKey: this.hostKey.sshPrivateKey(),
      terminals: {
        openSession: () => {
          throw new HoldfastError('ERR_UNSUPPORTED', 'no terminals here');
        },
        attach: () => assert.fail('no terminals here'),
        signal: () => undefined,
        sendBreak: () => false,
      },
      systemUser: () => userInfo().username,
      prepareCommand: (request) => prepare(request, context),
      spawnCommand: (command) => this.registry.spawnCommand(command),
      ...options.server,
    });
    writeFileSync(join(this.dir, 'proxy.cjs'), PROXY);
    writeFileSync(join(this.dir, 'known_hosts'), `agent ${this.hostKey.sshPublicKey}\n`);
    writeFileSync(
      join(this.dir, 'config'),
      [
        'Host agent',
        `  ProxyCommand ${process.execPath} ${join(this.dir, 'proxy.cjs')} ${this.#socket}`,
        `  UserKnownHostsFile ${join(this.dir, 'known_hosts')}`,
        '  GlobalKnownHostsFile /dev/null',
        '  StrictHostKeyChecking yes',
        '  IdentityAgent none',
        '  IdentityFile none',
        '  LogLevel ERROR',
        '',
      ].join('\n'),
    );
    this.#listener = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      const stream = this.open();
      socket.pipe(stream).pipe(socket);
      stream.on('error', () => socket.destroy());
      stream.once('close', () => socket.destroySoon());
      socket.once('close', () => stream.destroy());
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#listener.listen(this.#socket, resolve));
    return this;
  }

  get socketPath(): string {
    return this.#socket;
  }

  /** Opens a channel to the server, as a peer worker would. */
  open(): Duplex {
    const { port1, port2 } = new MessageChannel();
    const credit = limits.PORT_CREDIT_BYTES;
    this.#connections += 1;
    const stream = new ChannelDuplex(new PortChannel({ port: port1, credit }), {
      maxQueuedBytes: 1_024 * limits.MIB,
    });
    stream.on('error', () => undefined);
    this.streams.push(stream);
    this.server.serve({
      peer: {
        connectionId: `c${String(this.#connections)}` as ConnectionId,
        subject: 'tester',
        permissions: this.#permissions,
        engine: 'framed',
        disconnect: () => undefined,
      },
      label: 'ssh',
      protocol: 'ssh',
      handle: { port: port2, credit },
    });
    return stream;
  }

  /** Runs OpenSSH's client to its end. */
  ssh(args: readonly string[], input?: string | Buffer | null): Promise<Finished> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        'ssh',
        ['-F', join(this.dir, 'config'), ...args],
        { encoding: 'buffer', maxBuffer: 64 * limits.MIB, timeout: 60_000 },
        (error, stdout, stderr) => {
          if (error !== null && typeof error.code !== 'number') {
            reject(new Error('ssh did not end by itself', { cause: error }));
            return;
          }
          resolve({ status: child.exitCode, stdout, stderr: stderr.toString() });
        },
      );
      // `null`: standard input stays open.
      if (input !== null) child.stdin?.end(input ?? '');
      child.stdin?.on('error', () => undefined);
    });
  }

  /** Starts OpenSSH's client and leaves it running; ended by {@link close}. */
  spawnSsh(args: readonly string[]): ChildProcess {
    const child = spawn('ssh', ['-F', join(this.dir, 'config'), ...args]);
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    child.stdin.on('error', () => undefined);
    return child;
  }

  /** A connected client of ssh2's. */
  async client(config: ConnectConfig = {}): Promise<Client> {
    const client = new ssh2.Client();
    client.on('error', () => undefined);
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.once('error', reject);
      client.connect({ username: 'holdfast', ...config, sock: this.open() });
    });
    return client;
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.server.close();
    await this.registry.close();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Connects to a TCP port on loopback, or to a unix socket. */
export function dial(to: number | string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      typeof to === 'string'
        ? { path: to, allowHalfOpen: true }
        : { port: to, host: '127.0.0.1', allowHalfOpen: true },
    );
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** A TCP port on loopback that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
