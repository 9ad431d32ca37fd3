import type { LogLevel } from '../../shared/common/index.js';
import { openProcessLog, type ProcessLog } from '../../shared/node/log/index.js';
import type { LogSettings } from './services/index.js';

interface LogConfig {
  readonly logLevel: LogLevel | undefined;
  readonly logFormat: 'auto' | 'human' | 'json';
}

/** How this configuration wants a service to log. */
export function logSettings(config: LogConfig, usual: LogLevel): LogSettings {
  const { logLevel, logFormat } = config;
  return { level: logLevel ?? usual, format: logFormat === 'auto' ? undefined : logFormat };
}

/** The log of a command of a client: quiet unless somebody asks. */
export function clientLog(config: LogConfig): ProcessLog {
  const { level, format } = logSettings(config, 'warn');
  // Lines for people even into a pipe: these are messages of a tool, not of a service.
  return openProcessLog({ level, format: format ?? 'human' });
}
