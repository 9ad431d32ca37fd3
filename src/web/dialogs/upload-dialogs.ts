import { toErrorRecord } from '../../shared/common/index.js';
import { el } from '../dom.js';
import { formatBytes } from '../format.js';
import { isFolder, STATUS } from '../sftp/packets.js';
import { SftpStatusError, type SftpClient } from '../sftp/sftp-client.js';
import { showDialog } from './dialog.js';

const SHOWN_NAMES = 6;

/** Why something failed, in words. */
export function describeFailure(error: unknown): string {
  if (error instanceof SftpStatusError) return error.message;
  const { code, message } = toErrorRecord(error);
  return code === 'ERR_INTERNAL' ? message : `${message} (${code})`;
}

/**
 * Asks where `files` go; `suggested` is filled in. Only a folder that is there is taken.
 * Resolves with its absolute path. Absent: not at all.
 */
export function askForFolder(
  sftp: SftpClient,
  files: readonly { readonly name: string; readonly size: number }[],
  suggested: string,
): Promise<string | undefined> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const names = files.slice(0, SHOWN_NAMES).map(({ name }) => name);
  const rest = files.length - names.length;
  const problem = el('p', { class: 'field-problem', role: 'alert', id: 'upload-problem' });
  const input = el('input', {
    id: 'upload-folder',
    type: 'text',
    value: suggested,
    spellcheck: 'false',
    autocapitalize: 'off',
    autofocus: true,
    'aria-describedby': 'upload-problem',
  });
  return new Promise((resolve) => {
    let folder: string | undefined;
    const check = async (): Promise<void> => {
      const wanted = input.value.trim() === '' ? '.' : input.value.trim();
      try {
        const path = await sftp.realpath(wanted);
        const found = await sftp.stat(path);
        if (found !== undefined && isFolder(found)) {
          folder = path;
          dialog.close('yes');
        } else {
          problem.textContent =
            found === undefined ? `There is no folder ${path}.` : `${path} is not a folder.`;
        }
      } catch (error) {
        const isMissing = error instanceof SftpStatusError && error.status === STATUS.NO_SUCH_FILE;
        problem.textContent = isMissing ? `There is no folder ${wanted}.` : describeFailure(error);
      }
    };
    const dialog = showDialog(
      {
        title: files.length === 1 ? 'Upload a file?' : `Upload ${String(files.length)} files?`,
        closed: (value) => {
          resolve(value === 'yes' ? folder : undefined);
        },
      },
      [
        el(
          'p',
          { class: 'file-names' },
          `${names.join(', ')}${rest > 0 ? ` and ${String(rest)} more` : ''} · ${formatBytes(total)}`,
        ),
        el('label', { for: 'upload-folder' }, 'Into the folder'),
        input,
        problem,
      ],
      [
        el('button', { class: 'button', value: 'no', formnovalidate: true }, 'Cancel'),
        el(
          'button',
          {
            class: 'button primary',
            value: 'yes',
            onclick: (event: MouseEvent) => {
              event.preventDefault();
              void check();
            },
          },
          'Upload',
        ),
      ],
    );
    // Enter is the upload, not the first button.
    input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      void check();
    });
    input.select();
  });
}

/** What to do with a file whose name is taken. */
export type Conflict = 'replace' | 'both' | 'skip';

/** Asks about one file, `others` more may come. Dismissed: it is skipped. */
export function askAboutConflict(
  path: string,
  others: number,
): Promise<{ readonly answer: Conflict; readonly forAll: boolean }> {
  const forAll = el('input', { type: 'checkbox' });
  return new Promise((resolve) => {
    showDialog(
      {
        title: 'There is such a file already',
        closed: (value) => {
          const answer = value === 'replace' || value === 'both' ? value : 'skip';
          resolve({ answer, forAll: forAll.checked });
        },
      },
      [
        el('p', { class: 'link-target' }, path),
        others > 0
          ? el(
              'label',
              { class: 'check' },
              forAll,
              others === 1 ? 'Do the same with the other one' : 'Do the same with the others',
            )
          : undefined,
      ],
      [
        el('button', { class: 'button', value: 'skip', autofocus: true }, 'Skip it'),
        el('button', { class: 'button', value: 'both' }, 'Keep both'),
        el('button', { class: 'button danger', value: 'replace' }, 'Replace it'),
      ],
    );
  });
}
