/** What end-to-end tests share: clients of a running `holdfast up` over the real path. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext } from 'node:test';
import { LinkKeeper } from '../../src/main/cli/link-keeper.js';
import { linkOf } from '../../src/main/cli/workspace-link.js';
import { createBrokerApi, type BrokerApi } from '../../src/main/client/broker-api/index.js';
import {
  connectLocal,
  connectPeer,
  type AgentConnection,
  type ConnectPath,
} from '../../src/main/client/connection/index.js';
import { deferred, HoldfastError, type TerminalId } from '../../src/shared/common/index.js';
import {
  createTerminalClient,
  type TerminalClient,
  type TerminalClientState,
} from '../../src/shared/common/terminal-client/index.js';
import type { ExitStatus, TerminalSettings } from '../../src/shared/common/wire/index.js';
import type { FaultKind } from '../../src/shared/node/ports/index.js';
import { findProgram, runProgram, startProgram, type RunningProgram } from './programs.js';
import type { ProgramOptions, ProgramResult } from './programs.js';
import { tempDir } from './temp-dir.js';
import { cleanEnvironment, HOLDFAST, startUp, type RunningUp } from './up.js';
import { waitFor } from './wait-for.js';

/** One `holdfast up` for all tests of a file. Called at its top; the result is for use within tests. */
export function useUp(options?: Parameters<typeof startUp>[1]): () => RunningUp {
  let up: RunningUp | undefined;
  const hooks: (() => unknown)[] = [];
  before(async () => {
    up = await startUp({ after: (hook: unknown) => hooks.push(hook as () => unknown) }, options);
  });
  after(async () => {
    for (const hook of hooks) await hook();
  });
  return () => {
    if (up === undefined) throw new Error('only for use within tests');
    return up;
  };
}

/** Arguments of ssh for a workspace of `up`: its written configuration and nothing of this machine. */
function sshArguments(up: RunningUp, args: readonly string[]): string[] {
  return ['-F', up.sshConfig, '-o', 'LogLevel=ERROR', ...args];
}

/** How long werift may go on sending a handshake that was given up. */
export const HANDSHAKE_MS = 10_000;

/** Runs OpenSSH's client against `up` to its end. */
export function ssh(
  up: RunningUp,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  return runProgram(findProgram('ssh') ?? 'ssh', sshArguments(up, args), options);
}

/** Starts OpenSSH's client and leaves it running; its standard input stays open. */
export function startSsh(
  up: RunningUp,
  args: readonly string[],
  options?: ProgramOptions,
): RunningProgram {
  return startProgram(findProgram('ssh') ?? 'ssh', sshArguments(up, args), options);
}

export interface ConnectOptions {
  readonly path?: ConnectPath;
  readonly workspace?: string;
}

/**
 * An authenticated connection from this process to the agent, by WebRTC unless `path` says otherwise. On
 * a busy machine a handshake may take too long; then it is tried again, as people's clients do.
 */
export async function connect(
  up: RunningUp,
  { path = 'direct', workspace = up.ready.workspace }: ConnectOptions = {},
): Promise<AgentConnection> {
  const api = brokerApi(up);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connectPeer({
        url: `${up.ready.brokerUrl.replace(/^http/, 'ws')}/api/v1/connect`,
        path,
        getTicket: (publicKey) => api.getTicket(workspace, { publicKey }),
      });
    } catch (error) {
      const isLate = error instanceof HoldfastError && error.code === 'ERR_PEER_TIMEOUT';
      if (!isLate || attempt === 3) throw error;
    }
  }
}

/** A connection that is opened anew when it is lost, as `holdfast attach` and the page do. */
export function keepConnected(open: () => Promise<AgentConnection>): LinkKeeper {
  return new LinkKeeper(async () => linkOf(await open(), undefined));
}

/** An agent in a process of its own, for a workspace beside the one of `up`. */
export interface AgentProgram {
  readonly program: RunningProgram;
  readonly workspace: string;
  readonly stateDir: string;
  /** Unix socket for clients on this machine. */
  readonly socket: string;
}

/** Adds a workspace to the broker of `up` and runs `holdfast agent` for it. Stopped after `t`. */
export async function startAgentProgram(
  t: Pick<TestContext, 'after'>,
  up: RunningUp,
  options: {
    readonly workspace: string;
    readonly args?: readonly string[];
    readonly settings?: Omit<Parameters<BrokerApi['addWorkspace']>[0], 'name'>;
  },
): Promise<AgentProgram> {
  const { workspace, args = [], settings = {} } = options;
  const api = brokerApi(up);
  const { agentToken } = await api.addWorkspace({ name: workspace, ...settings });
  const home = tempDir();
  const tokenFile = join(home, 'agent.token');
  writeFileSync(tokenFile, agentToken, { mode: 0o600 });
  const stateDir = join(home, 'state');
  const program = startProgram(
    process.execPath,
    [
      ...[HOLDFAST, 'agent', '--broker', up.ready.brokerUrl, '--token-file', tokenFile],
      ...['--state-dir', stateDir, '--log-level', 'warn', ...args],
    ],
    { env: cleanEnvironment(home), cwd: home },
  );
  t.after(() => program.stop());
  await waitFor(
    async () => (await api.listWorkspaces()).some((w) => w.name === workspace && w.online),
    { what: `the agent to connect: ${program.stderr()}`, timeoutMs: 60_000 },
  );
  return { program, workspace, stateDir, socket: join(stateDir, 'agent.sock') };
}

/** The broker's API as the administrator whose login `up` wrote. */
export function brokerApi(up: RunningUp): BrokerApi {
  const { brokerUrl, clientConfigDir } = up.ready;
  const token = readFileSync(join(clientConfigDir, 'token'), 'utf8').trim();
  return createBrokerApi({ brokerUrl, token });
}

/** Kills a worker of an agent whose fault door is open. */
export async function injectFault(socket: string, label: `${string}:${FaultKind}`): Promise<void> {
  const agent = await connectLocal({ path: socket });
  const channel = agent.openChannel({ label, protocol: 'fault' });
  const ended = deferred<undefined>();
  channel.start({
    message: () => undefined,
    credit: () => undefined,
    end: () => {
      ended.resolve(undefined);
    },
  });
  await ended.promise;
  await agent.close();
}

export interface WatcherOptions {
  readonly settings?: TerminalSettings;
  readonly window?: number;
  /** False: nothing is processed, and so nothing acknowledged, until `resume`. */
  readonly reads?: boolean;
  readonly wantsType?: boolean;
  /** Called for all output, with its log position. */
  readonly onOutput?: (bytes: Uint8Array, offset: number) => void;
}

/** One viewer that comes back by itself and checks that the log it is shown has no hole that was not said. */
export class Watcher {
  readonly client: TerminalClient;
  readonly states: TerminalClientState['type'][] = [];
  readonly gaps: { readonly from: number; readonly to: number }[] = [];
  /** Holes and overlaps in the log that nobody stated. */
  defects = 0;
  /** Log position behind the last byte. */
  next = 0;
  received = 0;
  totalBytes: number | undefined;
  created: boolean | undefined;
  restarts = 0;
  lastOutputAt = 0;
  exitAt = 0;
  /** The exit; rejects if the client gives up. */
  readonly exited: Promise<ExitStatus>;
  #tail = '';
  #reads: boolean;
  #held = 0;

  constructor(links: LinkKeeper, id: string, options: WatcherOptions = {}) {
    const exited = deferred<ExitStatus>();
    this.exited = exited.promise;
    exited.promise.catch(() => undefined);
    this.#reads = options.reads ?? true;
    this.client = createTerminalClient({
      openChannel: async (label) =>
        (await links.get()).openChannel({ label, protocol: 'terminal' }),
      id: id as TerminalId,
      size: { rows: 24, cols: 80 },
      wantsType: options.wantsType ?? true,
      clientId: randomBytes(16),
      settings: options.settings ?? {},
      ...(options.window === undefined ? {} : { window: options.window }),
      handlers: {
        output: (bytes, { offset }) => {
          this.lastOutputAt = performance.now();
          if (this.received > 0 && offset !== this.next) this.defects += 1;
          this.next = offset + bytes.length;
          this.received += bytes.length;
          this.#tail = (this.#tail + Buffer.from(bytes).toString('latin1')).slice(-100_000);
          options.onOutput?.(bytes, offset);
          if (this.#reads) this.client.processed(bytes.length);
          else this.#held += bytes.length;
        },
        gap: (from, to) => {
          if (from !== this.next) this.defects += 1;
          this.gaps.push({ from, to });
          this.next = to;
        },
        // What a screen looks like is none of the log.
        snapshot: (bytes) => {
          if (this.#reads) this.client.processed(bytes.length);
          else this.#held += bytes.length;
        },
        restarted: () => {
          this.restarts += 1;
          this.next = 0;
        },
        state: (state) => {
          this.states.push(state.type);
          if (state.type === 'attached') this.created ??= state.created;
          if (state.type === 'exited') exited.resolve(state.exit);
          if (state.type === 'failed') exited.reject(new Error(state.error.message));
        },
        exit: (_exit, totalBytes) => {
          this.exitAt = performance.now();
          this.totalBytes = totalBytes;
        },
      },
    });
    this.client.start();
  }

  /** The last 100,000 bytes of output. */
  get text(): string {
    return this.#tail;
  }

  type(text: string): void {
    this.client.input(new TextEncoder().encode(text));
  }

  /** Stops reading: what still comes is neither processed nor acknowledged, until `resume`. */
  pause(): void {
    this.#reads = false;
  }

  /** Begins to read, what is held back first. */
  resume(): void {
    this.#reads = true;
    this.client.processed(this.#held);
    this.#held = 0;
  }

  async attached(times = 1): Promise<void> {
    await waitFor(() => this.states.filter((state) => state === 'attached').length >= times, {
      what: `attach ${String(times)} after ${this.states.join(', ')}`,
      timeoutMs: 60_000,
    });
  }

  async sees(text: string | RegExp): Promise<void> {
    await waitFor(
      () => (typeof text === 'string' ? this.#tail.includes(text) : text.test(this.#tail)),
      { what: `${String(text)} in ${JSON.stringify(this.#tail.slice(-200))}`, timeoutMs: 60_000 },
    );
  }
}
