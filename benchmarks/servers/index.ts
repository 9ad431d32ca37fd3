/** What benchmarks compare with or run against, each with processes of its own. */
export {
  startBenchAgent,
  startWorkspace,
  type BenchAgent,
  type BenchWorkspace,
  type Starting,
} from './agent.js';
export { startAbduco, type AbducoServer } from './abduco.js';
export { startDtach, type DtachMaster } from './dtach.js';
export { startOpenSsh, type OpenSshServer } from './openssh.js';
export { startScreen, type ScreenSession } from './screen.js';
export { startTmux, type TmuxServer } from './tmux.js';
