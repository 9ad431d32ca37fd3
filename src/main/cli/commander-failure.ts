import { HoldfastError } from '../../shared/common/index.js';
import { asHoldfastError } from './output/index.js';

/**
 * What commander threw over the command line of `program`, in our words. `shown`: it was help, and it is
 * printed.
 */
export function fromCommander(error: unknown, program: string): 'shown' | HoldfastError {
  if (!(error instanceof Error) || !('code' in error) || !('exitCode' in error)) {
    return asHoldfastError(error);
  }
  const code = String(error.code);
  if (!code.startsWith('commander.')) return asHoldfastError(error);
  if (error.exitCode === 0) return 'shown';
  const [first = '', ...others] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = others.join(' ').replace(/^\(|\)$/g, '');
  const seeHelp = `See \`${program} --help\`.`;
  return new HoldfastError('ERR_INVALID_ARGUMENT', first, {
    hint: suggestion === '' ? seeHelp : `${suggestion} ${seeHelp}`,
  });
}
