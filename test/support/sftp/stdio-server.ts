/**
 * The SFTP server on standard input and output, as a program that `sftp -D` can start. With
 * HOLDFAST_TEST_UID it becomes that user first, after it was loaded with the rights to read its files.
 */
import { sftpServerMain } from '../../../src/main/agent/sftp/index.js';

const uid = Number(process.env['HOLDFAST_TEST_UID'] ?? '0');
if (uid > 0) {
  process.setgroups?.([]);
  process.setgid?.(uid);
  process.setuid?.(uid);
}
process.exitCode = await sftpServerMain(process.argv.slice(2));
