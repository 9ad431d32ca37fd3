/** What benchmarks compare with or run against, each with processes of its own. */
export {
  startBenchAgent,
  startSshAgent,
  startWorkspace,
  type BenchAgent,
  type BenchSshAgent,
  type BenchWorkspace,
  type Starting,
} from './agent.js';
export { startDropbear, type DropbearServer } from './dropbear.js';
export { startAbduco, type AbducoServer } from './abduco.js';
export { startDtach, type DtachMaster } from './dtach.js';
export { answers, freePort, SFTP_SERVER, startOpenSsh, type OpenSshServer } from './openssh.js';
export { SSH_HOST, sshTarget, type SshTarget } from './ssh-target.js';
export { startSshMaster, type SshMaster } from './ssh-master.js';
export { makeUserKey, type UserKey } from './user-key.js';
export { startScreen, type ScreenSession } from './screen.js';
export { startTmux, type TmuxServer } from './tmux.js';
export { TmuxCommander } from './tmux-commander.js';
