import { duplexPair, type Duplex } from 'node:stream';
import { serveSftp, type SftpOptions } from '../../../src/main/agent/sftp/index.js';
import { createLogger, type LogRecord } from '../../../src/shared/common/index.js';
import { RawSftp } from './raw-client.js';

export interface TestSession {
  readonly client: RawSftp;
  /** The client's end of the stream. */
  readonly stream: Duplex;
  /** What `serveSftp` promised. */
  readonly served: Promise<void>;
  readonly records: readonly LogRecord[];
  /** Ends the client's side and waits for the server's end. */
  close(): Promise<void>;
}

/** A server in this process and a client of it, greeted unless `greet` is false. */
export async function openSession(
  options: Partial<SftpOptions> & { cwd: string; greet?: boolean },
): Promise<TestSession> {
  const [ours, theirs] = duplexPair();
  const records: LogRecord[] = [];
  const logger = createLogger((record) => records.push(record));
  const served = serveSftp(theirs, { logger, ...options });
  served.catch(() => undefined);
  const client = new RawSftp(ours, ours);
  if (options.greet !== false) await client.init();
  return {
    client,
    stream: ours,
    served,
    records,
    close: async () => {
      client.end();
      await served;
    },
  };
}
