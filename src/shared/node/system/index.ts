/**
 * What Node has no face for, called in the C library: descriptors, pipes, sockets, orphans. The one importer of koffi,
 * which is loaded with the first call. Any thread, but what says otherwise.
 */
export { duplicateFd, readNow, setCloseOnExec } from './fds.js';
export { lazily, libraryFunction } from './libc.js';
export { reapOrphans } from './orphans.js';
export { openPipe, openPipes, type PipeEnds } from './pipe.js';
export { sealInheritedDescriptors } from './seal.js';
export { canSpawnSession, spawnSession, type Spawned, type SpawnOptions } from './spawn.js';
export { signalName } from './signal-name.js';
export { peerUserId, setSocketBuffers } from './sockets.js';
