/** The clients of the suite, in the order of the table. */
import type { Client } from '../types.js';
import { curlLibssh2 } from './curl.js';
import { dropbear } from './dropbear.js';
import { asyncssh, go, libssh, paramiko, ssh2 } from './libraries.js';
import { openssh } from './openssh.js';
import { puttyTools } from './putty.js';

export const CLIENTS: readonly Client[] = [
  openssh,
  dropbear,
  puttyTools,
  paramiko,
  asyncssh,
  libssh,
  go,
  curlLibssh2,
  ssh2,
];
