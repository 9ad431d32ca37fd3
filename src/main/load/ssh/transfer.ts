import { sleep, toErrorRecord, type Closable } from '../../../shared/common/index.js';
import { openSftp, type SftpFiles } from '../../client/index.js';
import { LinePattern } from '../lines/index.js';
import { isAbort } from '../peers/index.js';
import { SshKeeper, type SshKeeperOptions } from './ssh-keeper.js';

const RETRY_MS = 500;

export interface TransferOptions extends SshKeeperOptions {
  readonly direction: 'up' | 'down';
  readonly bytes: number;
  /** Name of the file, which is made in /tmp and removed at the end. */
  readonly name: string;
  /** No further transfer is begun, and the one under way is given up. */
  readonly stop: AbortSignal;
}

/**
 * A file over SFTP, again and again, sent or fetched. Each time it is compared: what was sent is fetched back
 * for that, outside of the time that counts.
 */
export class Transfer implements Closable {
  readonly #options: TransferOptions;
  readonly #ssh: SshKeeper;
  readonly #pattern: LinePattern;
  readonly #path: string;
  #running: Promise<void> | undefined;
  #isThere = false;

  constructor(options: TransferOptions) {
    this.#options = options;
    this.#ssh = new SshKeeper(options);
    this.#pattern = new LinePattern(options.name);
    this.#path = `/tmp/${options.name}`;
  }

  /** Begins, once the file to fetch is there. @throws {HoldfastError} why it cannot be. */
  async start(): Promise<void> {
    const { direction, figures, stop } = this.#options;
    const sftp = await openSftp(await this.#ssh.get());
    if (direction === 'down') await this.#send(sftp);
    this.#running = this.#goOn(sftp).catch((error: unknown) => {
      if (isAbort(error, stop)) return;
      const { code, message } = toErrorRecord(error);
      figures.error(code, message);
    });
  }

  /** Ends it, compares what was sent last, and removes the file. Never rejects. */
  async close(): Promise<void> {
    await this.#running;
    if (this.#isThere) await this.#cleanUp().catch(this.#failed);
    await this.#ssh.close();
  }

  async #goOn(first: SftpFiles): Promise<void> {
    const { direction, stop } = this.#options;
    let sftp: SftpFiles | undefined = first;
    while (!stop.aborted) {
      try {
        sftp ??= await openSftp(await this.#ssh.get());
        if (direction === 'up') await this.#send(sftp);
        await this.#fetch(sftp);
      } catch (error) {
        if (stop.aborted) return;
        sftp = undefined;
        this.#failed(error);
        await sleep(RETRY_MS, stop);
      }
    }
    await sftp?.close();
  }

  async #send(sftp: SftpFiles): Promise<void> {
    const { bytes, direction, figures } = this.#options;
    this.#isThere = true;
    const begun = performance.now();
    await sftp.write(this.#path, bytes, (piece, position) => {
      this.#stopping();
      this.#pattern.fill(piece, position);
    });
    if (direction === 'down') return;
    figures.counts.sentFileBytes += bytes;
    figures.counts.sentFileMs += performance.now() - begun;
  }

  async #fetch(sftp: SftpFiles): Promise<void> {
    const { bytes, direction, figures, name } = this.#options;
    let isRight = true;
    const begun = performance.now();
    const count = await sftp.read(this.#path, (piece, position) => {
      this.#stopping();
      isRight &&= this.#pattern.matching(piece, position) === piece.length;
    });
    if (direction === 'down') {
      figures.counts.receivedFileBytes += count;
      figures.counts.receivedFileMs += performance.now() - begun;
    }
    if (count === bytes && isRight) return;
    figures.fault('wrongFiles', 1, `${name}: ${String(count)} of ${String(bytes)} bytes, or wrong`);
  }

  /** @throws so that a transfer under way is given up. */
  #stopping(): void {
    this.#options.stop.throwIfAborted();
  }

  async #cleanUp(): Promise<void> {
    const sftp = await openSftp(await this.#ssh.get());
    await sftp.remove(this.#path);
    await sftp.close();
  }

  readonly #failed = (error: unknown): void => {
    const { code, message } = toErrorRecord(error);
    if (code !== 'ERR_PEER_LOST' && code !== 'ERR_CLOSED')
      this.#options.figures.error(code, message);
  };
}
