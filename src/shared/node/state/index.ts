/**
 * The state folder: made and checked so that no other user can read or plant anything in it, one
 * process at a time, with the long-lived keys. Main threads of agent, broker and command line.
 */
export { generateIdentity, identityOf, loadOrCreateIdentity, type Identity } from './identity.js';
export { lockStateDir, stateDirOwner } from './lock.js';
export {
  errno,
  openLogFile,
  openStateDir,
  readSecretFile,
  writeSecretFile,
} from './secure-file.js';
