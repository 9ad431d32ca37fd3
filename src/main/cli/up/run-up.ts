import { rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import {
  assertNever,
  deferred,
  HoldfastError,
  once,
  type Closable,
  type LogLevel,
} from '../../../shared/common/index.js';
import { lockStateDir, openStateDir, writeSecretFile } from '../../../shared/node/state/index.js';
import { FIELDS, type ListenAddress } from '../config/index.js';
import { PROGRAM_FILE } from '../../../shared/node/package-info/index.js';
import type { AgentSettings, LogSettings } from '../services/index.js';
import { wholeFile } from '../ssh-config/index.js';
import { Child } from './child.js';
import { childEnvironment } from './environment.js';
import type { FromChild } from './messages.js';
import { LOCAL_WORKSPACE, provision, untilOnline } from './provision.js';
import { Supervisor } from './supervisor.js';

export interface UpOptions {
  readonly stateDir: string;
  readonly listen: ListenAddress;
  /** Written (0600) once everything works, removed at the end. */
  readonly readyFile: string | undefined;
  readonly webrtc: AgentSettings['webrtc'];
  readonly log: LogSettings;
  readonly env: NodeJS.ProcessEnv;
}

/** What works once `up` is ready; as JSON this is the ready file. */
export interface UpReady {
  /** Opens a terminal in the browser. Holds a token in its fragment. */
  readonly url: string;
  readonly brokerUrl: string;
  readonly workspace: string;
  readonly clientConfigDir: string;
  readonly pid: number;
}

/** A running `up`. */
export interface Up extends Closable {
  readonly ready: UpReady;
  /** For `ssh -F`. */
  readonly sshConfigFile: string;
  /** Settles when it has ended. @throws {HoldfastError} why, if nobody asked it to. */
  readonly ended: Promise<void>;
}

/**
 * Starts broker and agent and resolves when a terminal can be opened.
 * @param onStarted Gets what ends it, fast or well, before it is ready.
 * @throws {HoldfastError} ERR_STATE_DIR, ERR_ALREADY_RUNNING, ERR_PORT_IN_USE, ERR_DEGRADED, ERR_CLOSED.
 */
export async function startUp(
  options: UpOptions,
  onStarted: (control: Closable & { kill(): void }) => void,
): Promise<Up> {
  const stateDir = await openStateDir(options.stateDir);
  const lock = await lockStateDir(stateDir);
  const { readyFile } = options;
  const supervisor = new Supervisor();
  const giveUp = new AbortController();
  // As the first process of a container it inherits what the sessions leave behind.
  const orphans =
    process.pid === 1
      ? (await import('../../../shared/node/system/index.js')).reapOrphans()
      : undefined;
  const close = once(async () => {
    giveUp.abort();
    await supervisor.stop();
    await orphans?.close();
    if (readyFile !== undefined) rmSync(readyFile, { force: true });
    await lock.close();
  });
  onStarted({
    close,
    kill: () => {
      supervisor.kill();
    },
  });
  try {
    // One that a crash left must not say that this one is ready.
    if (readyFile !== undefined) rmSync(readyFile, { force: true });
    return await start({ ...options, stateDir }, supervisor, giveUp.signal, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  { stateDir, listen, readyFile, webrtc, log, env }: UpOptions,
  supervisor: Supervisor,
  signal: AbortSignal,
  close: () => Promise<void>,
): Promise<Up> {
  const environment = childEnvironment(env);
  const brokerReady = deferred<Extract<FromChild, { type: 'broker-ready' }>>();
  const failed = deferred<never>();
  // Whoever waits for it hears of it; nobody may be waiting yet.
  failed.promise.catch(() => undefined);
  let port = listen.port;
  const keep = (role: Parameters<Supervisor['keep']>[0]): Promise<void> => {
    const kept = supervisor.keep(role);
    kept.catch((error: unknown) => {
      failed.reject(error);
    });
    return kept;
  };

  const brokerKept = keep({
    name: 'broker',
    start: () =>
      new Child(
        'broker-child',
        {
          type: 'start-broker',
          settings: {
            stateDir: join(stateDir, 'broker'),
            listen: { host: listen.host, port },
            tls: undefined,
            insecureListen: false,
            publicUrl: undefined,
            stun: [],
            turn: undefined,
            log,
          },
        },
        {
          env: environment,
          onMessage: (message) => {
            switch (message.type) {
              case 'broker-ready':
                // One that is started anew takes the same place: links and logins name it.
                port = message.port;
                brokerReady.resolve(message);
                return;
              case 'agent-started':
              case 'failed':
                return;
              default:
                assertNever(message);
            }
          },
        },
      ),
  });
  const broker = await Promise.race([brokerReady.promise, failed.promise, aborted(signal)]);
  const brokerUrl = broker.url;
  const { agentToken, pageToken, clientConfigDir } = await provision({
    stateDir,
    brokerUrl,
    adminTokenFile: broker.adminTokenFile,
    ownerUsername: ownerName(),
  });

  const agentKept = keep({
    name: 'agent',
    start: () =>
      new Child(
        'agent-child',
        {
          type: 'start-agent',
          settings: {
            stateDir: join(stateDir, 'agent'),
            brokerUrl,
            token: agentToken,
            shell: undefined,
            directory: undefined,
            ringBytes: FIELDS.ringBytes.defaultValue,
            terminalIdleMs: FIELDS.terminalIdle.defaultValue,
            reconnectingPtyIdleMs: FIELDS.reconnectingPtyIdle.defaultValue,
            exitedKeepMs: FIELDS.exitedKeep.defaultValue,
            maxTerminalsPerSubject: FIELDS.maxTerminalsPerSubject.defaultValue,
            recordingQuota: FIELDS.recordingQuota.defaultValue,
            recordingBytes: FIELDS.recordingBytes.defaultValue,
            webrtc,
            workerBeatMs: FIELDS.workerBeat.defaultValue,
            authorizedKeys: undefined,
            sshListen: undefined,
            sshBanner: undefined,
            x11Forwarding: false,
            motd: FIELDS.motd.defaultValue,
            allowForward: undefined,
            gatewayPorts: false,
            ephemeralHostKey: false,
            faultDoor: false,
            metricsListen: undefined,
            log,
          },
        },
        { env: environment, onMessage: () => undefined },
      ),
  });
  await Promise.race([untilOnline(brokerUrl, pageToken, { signal }), failed.promise]);

  const sshConfigFile = join(clientConfigDir, 'ssh_config');
  await writeSecretFile(
    sshConfigFile,
    wholeFile({
      node: process.execPath,
      cli: PROGRAM_FILE,
      configDir: clientConfigDir,
    }),
  );
  const ready: UpReady = {
    url: `${brokerUrl}/w/${LOCAL_WORKSPACE}#token=${encodeURIComponent(pageToken)}`,
    brokerUrl,
    workspace: LOCAL_WORKSPACE,
    clientConfigDir,
    pid: process.pid,
  };
  if (readyFile !== undefined) await writeSecretFile(readyFile, `${JSON.stringify(ready)}\n`);
  const ended = Promise.all([brokerKept, agentKept]).then(
    () => undefined,
    async (error: unknown) => {
      await close();
      throw error;
    },
  );
  ended.catch(() => undefined);
  return { ready, sshConfigFile, ended, close };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = (): void => {
      reject(new HoldfastError('ERR_CLOSED', 'starting was given up'));
    };
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}

/** Name for commits and the list of tokens; a user id without a name is no reason to fail. */
function ownerName(): string {
  try {
    return userInfo()
      .username.replace(/[^\p{L}\p{N} ._@+-]/gu, '_')
      .slice(0, 64);
  } catch {
    return `uid ${String(process.getuid?.() ?? 0)}`;
  }
}

/** How much `up` and its children log if nobody says: its screen is for people. */
export const UP_LOG_LEVEL: LogLevel = 'warn';
