import { quoteForShell } from '../ssh-config/index.js';
import type { Style } from '../output/index.js';

export interface ScreenOptions {
  readonly url: string;
  readonly workspace: string;
  readonly clientConfigDir: string;
  readonly sshConfigFile: string;
  /** How the person can call holdfast: `holdfast`, or `npx holdfast` in a clone. */
  readonly program: string;
  /** Whether commands find the login without being told where. */
  readonly foundByDefault: boolean;
}

/** What `up` prints when everything works. */
export function readyScreen(options: ScreenOptions, style: Style): string {
  const { url, workspace, clientConfigDir, sshConfigFile, program, foundByDefault } = options;
  const where = foundByDefault ? '' : ` --config-dir ${quoteForShell(clientConfigDir)}`;
  return `
${style.green(style.bold('Holdfast is running.'))}

  A terminal in the browser:
    ${style.bold(url)}

  In another shell on this machine:
    ${style.bold(`${program} ssh${where} ${workspace}`)}
    ${style.bold(`${program} attach${where} ${workspace}`)}
    ${style.bold(`ssh -F ${quoteForShell(sshConfigFile)} ${workspace}.holdfast`)}

  ${style.dim('The link lets anyone on this machine in who has it. Ctrl-C stops everything.')}

`;
}
