/** Ways to terminals of Holdfast and of other programs, which cases compare. Runs in the process of the case. */
export {
  ABDUCO,
  BARE,
  DTACH,
  HOLDFAST_SSH,
  OPENSSH,
  prepareWays,
  SCREEN,
  TMUX,
  TMUX_CONTROL,
  TRACKED,
  UNTRACKED,
  type Way,
  type Ways,
} from './attached.js';
export { prepareUnattended, type UnattendedWay } from './unattended.js';
