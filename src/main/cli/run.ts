import { HoldfastError } from '../../shared/common/index.js';
import { CATALOGUE, COMMANDS, type CommandEntry } from './catalogue.js';
import { fromCommander } from './commander-failure.js';
import { FIELDS, nearest, takeSecrets } from './config/index.js';
import { exitStatusOf } from './failure.js';
import { asHoldfastError, formatError, styleFor } from './output/index.js';

/**
 * Runs one command line. Prints what there is to print, errors included.
 * @param args Without `node` and the program.
 * @returns The exit status.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { token } = takeSecrets(process.env);
  try {
    const { name, rest } = splitCommand(args);
    if (name === undefined) {
      process.stdout.write(overview());
      return 0;
    }
    const { Cli } = await import('./cli.js');
    const cli = new Cli({ env: { ...process.env }, token, cwd: process.cwd() }, rest);
    const command = (await findCommand(name).load()).build(cli);
    const isGroup = command.commands.length > 0 && command.registeredArguments.length === 0;
    const subcommand = isGroup ? rest.find((arg) => !arg.startsWith('-')) : '';
    if (subcommand === undefined && !rest.includes('--help') && !rest.includes('-h')) {
      throw new HoldfastError('ERR_INVALID_ARGUMENT', `${name} needs a subcommand`, {
        hint: `One of: ${command.commands.map((each) => each.name()).join(', ')}. See \`holdfast ${name} --help\`.`,
      });
    }
    command.name(`holdfast ${name}`);
    try {
      await command.parseAsync(rest, { from: 'user' });
    } catch (error) {
      const outcome = fromCommander(error, `holdfast ${name}`);
      if (outcome === 'shown') return 0;
      throw outcome;
    }
    return cli.exitStatus;
  } catch (error) {
    const failure = asHoldfastError(error);
    process.stderr.write(formatError(failure));
    return exitStatusOf(failure);
  }
}

/** Options before the command belong to it: `holdfast --config-dir X ssh local`. */
function splitCommand(args: readonly string[]): {
  readonly name: string | undefined;
  readonly rest: readonly string[];
} {
  const before: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (!arg.startsWith('-') || arg === '-') {
      if (arg === 'help') return helpOf(args.slice(index + 1));
      return { name: arg, rest: [...before, ...args.slice(index + 1)] };
    }
    if (arg === '--help' || arg === '-h') return { name: undefined, rest: [] };
    if (arg === '--version' || arg === '-V')
      return { name: 'version', rest: args.slice(index + 1) };
    before.push(arg);
    const takesValue = LEADING_FLAGS.get(arg.split('=')[0] ?? '');
    if (takesValue === undefined) {
      throw new HoldfastError('ERR_INVALID_ARGUMENT', `unknown option ${JSON.stringify(arg)}`, {
        hint: 'Put options after the command; `holdfast --help` lists the commands.',
      });
    }
    if (takesValue && !arg.includes('=')) {
      index += 1;
      if (index < args.length) before.push(args[index] ?? '');
    }
  }
  if (before.length > 0) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', 'no command given', {
      hint: '`holdfast --help` lists the commands.',
    });
  }
  return { name: undefined, rest: [] };
}

function helpOf(words: readonly string[]): { name: string | undefined; rest: readonly string[] } {
  return { name: words[0], rest: words[0] === undefined ? [] : [...words.slice(1), '--help'] };
}

/** Flags that may stand before the command, and whether a value follows. */
const LEADING_FLAGS: ReadonlyMap<string, boolean> = new Map(
  Object.values(FIELDS).flatMap((field) =>
    'flag' in field ? [[field.flag.split(' ')[0] ?? '', field.flag.includes('<')] as const] : [],
  ),
);

function findCommand(name: string): CommandEntry {
  const found = COMMANDS.find((command) => command.name === name);
  if (found !== undefined) return found;
  const near = nearest(
    name,
    COMMANDS.map((command) => command.name),
  );
  throw new HoldfastError('ERR_INVALID_ARGUMENT', `unknown command ${JSON.stringify(name)}`, {
    hint:
      near === undefined
        ? '`holdfast --help` lists the commands.'
        : `Did you mean \`holdfast ${near}\`?`,
  });
}

function overview(): string {
  const style = styleFor(process.stdout, process.env);
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const sections = CATALOGUE.map(
    ({ heading, commands }) =>
      `${style.bold(heading)}\n${commands
        .map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
        .join('\n')}`,
  );
  return `Shells and shared terminals in your workspaces, over peer-to-peer connections.

Usage: holdfast COMMAND [options]

${sections.join('\n\n')}

\`holdfast COMMAND --help\` explains a command with examples. In a hurry: \`holdfast up\`.
`;
}
