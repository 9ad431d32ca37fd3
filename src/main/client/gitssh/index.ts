/** What `holdfast gitssh` does: ssh for Git with the workspace's key. Runs in a short-lived process. */
export { listIdentities } from './identities.js';
export { runGitSsh, type GitSshOptions } from './run-git-ssh.js';
