/** Port and socket forwards as ssh has them with -L and -R, over an SSH connection. Main thread. */
export { startLocalForward, type Forward, type ForwardContext } from './local-forward.js';
export { RemoteForwards, type RemoteForward } from './remote-forwards.js';
export { formatEnd, parseForward, type ForwardEnd, type ForwardSpec } from './spec.js';
