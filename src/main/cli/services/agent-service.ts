import { readFile } from 'node:fs/promises';
import { once, wrapError, type Closable } from '../../../shared/common/index.js';
import { PROGRAM_FILE } from '../../../shared/node/package-info/index.js';
import type { AgentSettings } from './types.js';

/** An agent with its log. */
export interface RunningAgentService extends Closable {
  /** Resolves when it has ended. Never rejects. */
  readonly closed: Promise<void>;
}

/**
 * Starts an agent; resolves before it has reached its broker.
 * @throws {HoldfastError} ERR_STATE_DIR, ERR_ALREADY_RUNNING, ERR_CONFIG, ERR_PORT_IN_USE.
 */
export async function runAgent(settings: AgentSettings): Promise<RunningAgentService> {
  // Loaded when one is to run: the agent's packages would slow every other start down.
  const [{ openProcessLog }, { startAgent }] = await Promise.all([
    import('../../../shared/node/log/index.js'),
    import('../../agent/index.js'),
  ]);
  const { log } = settings;
  const logger = openProcessLog({
    level: log.level,
    fields: { part: 'agent' },
    ...(log.format === undefined ? {} : { format: log.format }),
  });
  try {
    const agent = await startAgent({
      broker: { url: settings.brokerUrl, token: settings.token },
      stateDir: settings.stateDir,
      logger,
      shell: settings.shell,
      directory: settings.directory,
      gitSshCommand: [process.execPath, PROGRAM_FILE],
      authorizedKeys: await readKeys(settings.authorizedKeys),
      sshListen: settings.sshListen,
      sshBanner: settings.sshBanner,
      x11Forwarding: settings.x11Forwarding,
      motd: settings.motd,
      ephemeralHostKey: settings.ephemeralHostKey,
      forwarding: { allow: settings.allowForward, gatewayPorts: settings.gatewayPorts },
      ringBytes: settings.ringBytes,
      terminalIdleMs: settings.terminalIdleMs,
      reconnectingPtyIdleMs: settings.reconnectingPtyIdleMs,
      exitedKeepMs: settings.exitedKeepMs,
      maxTerminalsPerSubject: settings.maxTerminalsPerSubject,
      recordingQuotaBytes: settings.recordingQuota,
      recordingBytes: settings.recordingBytes,
      webrtc: settings.webrtc,
      workerBeatMs: settings.workerBeatMs,
      faultDoor: settings.faultDoor,
      metrics: settings.metricsListen,
    });
    return {
      closed: agent.closed,
      close: once(async () => {
        await agent.close();
        await logger.close();
      }),
    };
  } catch (error) {
    await logger.close();
    throw error;
  }
}

/** Lines of an authorized_keys file that hold keys. Absent file name: no keys are asked for. */
async function readKeys(file: string | undefined): Promise<string[] | undefined> {
  if (file === undefined) return undefined;
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw wrapError(error, 'ERR_CONFIG', 'read the authorized keys');
  });
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
