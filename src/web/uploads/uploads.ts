import type { WorkspaceConnection } from '../connection/index.js';
import {
  askAboutConflict,
  askForFolder,
  describeFailure,
  type Conflict,
} from '../dialogs/upload-dialogs.js';
import { isFolder } from '../sftp/packets.js';
import { SftpClient } from '../sftp/sftp-client.js';
import { isPlainName, joinPath, numberedName, uploadFile } from '../sftp/upload.js';
import type { DroppedFiles } from './dropped-files.js';
import { UploadPanel, type UploadRow } from './upload-panel.js';

/** Permission bits of a mode. */
const PERMISSIONS = 0o7777;
const MOST_NUMBERS = 1_000;

/** Uploads to one workspace: each batch over a channel of its own, one file after the other. */
export class Uploads {
  readonly #connection: WorkspaceConnection;
  readonly #notice: (text: string) => void;
  readonly #panel = new UploadPanel();
  readonly #open = new Set<SftpClient>();

  constructor(connection: WorkspaceConnection, notice: (text: string) => void) {
    this.#connection = connection;
    this.#notice = notice;
  }

  /** Where progress is shown. */
  get element(): HTMLElement {
    return this.#panel.element;
  }

  /** Whether this person may upload to the workspace, as far as is known. */
  get isAllowed(): boolean {
    const { state } = this.#connection;
    return state.type === 'connected' && state.permissions.allows('sftp');
  }

  /**
   * Asks where to and uploads. Resolves when all is done; tells of failures by itself.
   * @param directory Where the person seems to want them. Absent: the folder of the workspace.
   */
  async upload({ files, folders }: DroppedFiles, directory: string | undefined): Promise<void> {
    if (!this.isAllowed) {
      this.#notice('Uploading is not allowed here (ERR_FORBIDDEN).');
      return;
    }
    for (const folder of folders) {
      this.#panel.add(folder, 0).failed('a folder; only files are uploaded');
    }
    if (files.length === 0) return;
    let sftp: SftpClient | undefined;
    try {
      sftp = new SftpClient(await this.#connection.openChannel('sftp', ''));
      this.#open.add(sftp);
      await sftp.ready();
      const folder = await askForFolder(sftp, files, await suggestFolder(sftp, directory));
      if (folder !== undefined) await this.#uploadAll(sftp, files, folder);
    } catch (error) {
      this.#notice(`Nothing was uploaded: ${describeFailure(error)}`);
    } finally {
      sftp?.end();
      if (sftp !== undefined) this.#open.delete(sftp);
    }
  }

  dispose(): void {
    this.#panel.cancelAll();
    for (const sftp of this.#open) sftp.end();
  }

  async #uploadAll(sftp: SftpClient, files: readonly File[], folder: string): Promise<void> {
    const rows = files.map((file) => ({ file, row: this.#panel.add(file.name, file.size) }));
    let forAll: Conflict | undefined;
    for (const [index, { file, row }] of rows.entries()) {
      try {
        forAll = await this.#uploadOne(sftp, file, row, folder, rows.length - index - 1, forAll);
      } catch (error) {
        row.failed(row.signal.aborted ? 'cancelled' : describeFailure(error));
      }
    }
  }

  /** @returns what a person answered for all files. Absent: nothing yet. */
  async #uploadOne(
    sftp: SftpClient,
    file: File,
    row: UploadRow,
    folder: string,
    others: number,
    forAll: Conflict | undefined,
  ): Promise<Conflict | undefined> {
    if (!isPlainName(file.name)) throw new Error('not the name of a file');
    let target = joinPath(folder, file.name);
    let always = forAll;
    const found = await sftp.stat(target);
    let mode: number | undefined;
    let replaces = false;
    if (found !== undefined) {
      const { answer, forAll: isForAll } =
        forAll === undefined
          ? await askAboutConflict(target, others)
          : { answer: forAll, forAll: true };
      if (isForAll) always = answer;
      if (answer === 'skip') {
        row.done('skipped: there is such a file');
        return always;
      }
      if (answer === 'both') target = await freeName(sftp, folder, file.name);
      else if (isFolder(found)) throw new Error('there is a folder of that name');
      else {
        replaces = true;
        // What takes the place of a file can be read by whoever could read that one.
        mode = found.mode === undefined ? undefined : found.mode & PERMISSIONS;
      }
    }
    await uploadFile(sftp, file, {
      target,
      mode,
      overwrite: replaces,
      signal: row.signal,
      progress: (bytes) => {
        row.progress(bytes);
      },
    });
    row.done(target);
    return always;
  }
}

/** `directory`, if it can be used, else the folder that the server starts in. */
async function suggestFolder(sftp: SftpClient, directory: string | undefined): Promise<string> {
  if (directory !== undefined) {
    const found = await sftp.stat(directory).catch(() => undefined);
    if (found !== undefined && isFolder(found)) return directory;
  }
  return sftp.realpath('.');
}

async function freeName(sftp: SftpClient, folder: string, name: string): Promise<string> {
  for (let number = 2; number < MOST_NUMBERS; number += 1) {
    const path = joinPath(folder, numberedName(name, number));
    if ((await sftp.stat(path)) === undefined) return path;
  }
  throw new Error('too many files of that name');
}
