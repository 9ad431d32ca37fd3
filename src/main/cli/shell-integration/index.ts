/** Scripts that have a shell mark its prompts and commands, for `holdfast wait` and the list of terminals. */
import { BASH } from './bash.js';
import { FISH } from './fish.js';
import { ZSH } from './zsh.js';

export const SHELL_SCRIPTS: Readonly<Record<'bash' | 'zsh' | 'fish', string>> = {
  bash: BASH,
  zsh: ZSH,
  fish: FISH,
};
