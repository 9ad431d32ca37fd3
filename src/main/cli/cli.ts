import { Command, Option } from 'commander';
import {
  FIELDS,
  resolveConfig,
  type Config,
  type ConfigInputs,
  type Field,
  type FieldName,
} from './config/index.js';
import { EXIT, EXIT_MEANINGS, styleFor, type Style } from './output/index.js';

/** Settings that every command takes. */
const GLOBAL_SETTINGS = ['configDir', 'logLevel', 'logFormat'] as const;

/** Exit codes that most commands can end with. */
const USUAL_EXITS = ['ok', 'failure', 'usage', 'denied', 'notFound', 'unreachable'] as const;

export interface HelpOptions {
  /** Lines `command` and what it does. */
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /** Exit codes worth naming; absent: the usual ones. A text replaces the list. */
  readonly exits?: readonly (keyof typeof EXIT)[] | string;
  /** Paragraphs that explain, after the options. */
  readonly notes?: readonly string[];
  /** Declares options that the help shows before the settings. */
  readonly first?: (command: Command) => void;
}

/** What a command gets from the frame: a way to declare itself, its configuration, its exit status. */
export class Cli {
  readonly #inputs: Omit<ConfigInputs, 'flags'>;
  /** What stands on the command line after the name of the command, word for word. */
  readonly words: readonly string[];
  #exitStatus: number = EXIT.ok;

  constructor(inputs: Omit<ConfigInputs, 'flags'>, words: readonly string[] = []) {
    this.#inputs = inputs;
    this.words = words;
  }

  /** The status that the process ends with. */
  get exitStatus(): number {
    return this.#exitStatus;
  }

  set exitStatus(status: number) {
    this.#exitStatus = status;
  }

  /** The environment without secrets. */
  get env(): ConfigInputs['env'] {
    return this.#inputs.env;
  }

  get cwd(): string {
    return this.#inputs.cwd;
  }

  /** How to paint text for `stream`. */
  style(stream: { readonly isTTY?: boolean | undefined }): Style {
    return styleFor(stream, this.env);
  }

  /**
   * A command with flags for `settings` and for what every command takes.
   * @param name With the words before it: `workspace add`.
   */
  command(
    name: string,
    summary: string,
    settings: readonly FieldName[],
    help: HelpOptions,
  ): Command {
    const command = new Command(name.split(' ').at(-1) ?? name)
      .description(summary)
      .helpOption('-h, --help', 'show this help')
      .configureHelp({ helpWidth: 100, showGlobalOptions: false })
      .configureOutput({ outputError: () => undefined, writeErr: () => undefined })
      .exitOverride()
      .allowExcessArguments(false)
      .showSuggestionAfterError(true);
    help.first?.(command);
    for (const setting of [...settings, ...GLOBAL_SETTINGS]) addSetting(command, FIELDS[setting]);
    command.addHelpText('after', () => helpTail(help));
    return command;
  }

  /** A command that only holds others. */
  group(name: string, summary: string, commands: readonly Command[]): Command {
    const group = this.command(name, summary, [], { examples: [], exits: '' });
    group.helpCommand(false);
    for (const command of commands) group.addCommand(command);
    return group;
  }

  /** The resolved settings of `command`; see `resolveConfig`. */
  config<K extends FieldName>(command: Command, names: readonly K[]): Config<K> {
    return resolveConfig(names, { ...this.#inputs, flags: command.optsWithGlobals() });
  }

  /** Writes to standard output. */
  print(text: string): void {
    process.stdout.write(text);
  }

  /** Writes `value` as JSON for programs. */
  printJson(value: unknown): void {
    process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }
}

function addSetting(command: Command, field: Field<unknown>): void {
  if (field.flag === undefined) return;
  const option = new Option(field.flag, describe(field));
  if (field.repeats === true) {
    option.argParser((value: string, previous: string[] | undefined) => [
      ...(previous ?? []),
      value,
    ]);
  }
  command.addOption(option);
  if (field.flag === '--open') command.addOption(new Option('--no-open').hideHelp());
}

function describe({ meaning, env, defaultText }: Field<unknown>): string {
  const notes: string[] = [];
  if (env !== undefined) notes.push(env);
  if (defaultText !== undefined && defaultText !== 'false') notes.push(`default: ${defaultText}`);
  return notes.length === 0 ? meaning : `${meaning} [${notes.join('; ')}]`;
}

function helpTail({ examples, exits = USUAL_EXITS, notes = [] }: HelpOptions): string {
  const parts: string[] = notes.map((note) => `\n${note}`);
  if (examples.length > 0) {
    const width = Math.max(...examples.map(([command]) => command.length));
    const lines = examples.map(([command, meaning]) => `  ${command.padEnd(width)}  ${meaning}`);
    parts.push(`\nExamples:\n${lines.join('\n')}`);
  }
  if (typeof exits === 'string') {
    if (exits !== '') parts.push(`\nExit status:\n  ${exits}`);
  } else {
    const lines = exits.map((name) => `  ${String(EXIT[name]).padEnd(4)} ${EXIT_MEANINGS[name]}`);
    parts.push(`\nExit status:\n${lines.join('\n')}`);
  }
  return parts.join('\n');
}
