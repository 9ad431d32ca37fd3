/** What each client is asked to do, in the order of the table. */
import type { Check } from '../types.js';
import { bulk } from './bulk.js';
import { exec } from './exec.js';
import { local, remote } from './forwards.js';
import { sftp } from './sftp.js';
import { shell } from './shell.js';
import { status } from './status.js';

export const CHECKS: readonly Check[] = [exec, shell, bulk, status, local, remote, sftp];
