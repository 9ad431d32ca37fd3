/** The tools of the suite, in the order of the table. */
import type { Tool } from '../types.js';
import { agentForwarding } from './agent-forwarding.js';
import { ansible } from './ansible.js';
import { editor } from './editor.js';
import { git } from './git.js';
import { jump } from './jump.js';
import { mosh } from './mosh.js';
import { multiplexing } from './multiplexing.js';
import { rsync } from './rsync.js';
import { scp } from './scp.js';
import { sftpBatch } from './sftp-batch.js';
import { sshAudit } from './ssh-audit.js';
import { sshfs } from './sshfs.js';
import { tar } from './tar.js';
import { tmux } from './tmux.js';
import { unixSockets } from './unix-sockets.js';

export const TOOLS: readonly Tool[] = [
  scp,
  sftpBatch,
  multiplexing,
  jump,
  unixSockets,
  agentForwarding,
  rsync,
  git,
  tar,
  sshfs,
  mosh,
  ansible,
  tmux,
  editor,
  sshAudit,
];
