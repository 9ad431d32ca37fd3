import { cutText, limits, shownText, strippedText } from '../../../shared/common/index.js';

/** What an OSC says that means something to Holdfast. All text is cleaned and bounded. */
export type OscMeaning =
  /** OSC 0 and 2. */
  | { readonly type: 'title'; readonly title: string }
  /** OSC 7. */
  | { readonly type: 'cwd'; readonly path: string }
  /** OSC 133;A: the shell `shell` asks for the next command. */
  | { readonly type: 'prompt'; readonly shell: string }
  /** OSC 133;C */
  | {
      readonly type: 'command-start';
      readonly shell: string;
      readonly command: string | undefined;
    }
  /** OSC 133;D */
  | { readonly type: 'command-end'; readonly shell: string; readonly status: number | undefined };

/** Longest name of a shell that is kept; those of our scripts are process numbers. */
const SHELL_CHARACTERS = 64;

/**
 * What `text`, an OSC without its introducer and end, says. Absent: nothing that matters here.
 * @param hostname of this machine: directories of others are not ours to tell.
 */
export function oscMeaning(text: string, hostname: string): OscMeaning | undefined {
  const semicolon = text.indexOf(';');
  if (semicolon === -1) return undefined;
  const value = text.slice(semicolon + 1);
  switch (text.slice(0, semicolon)) {
    case '0':
    case '2':
      return { type: 'title', title: cutText(strippedText(value), limits.TITLE_CHARACTERS).trim() };
    case '7':
      return directory(value, hostname);
    case '133':
      return mark(value);
    default:
      return undefined;
  }
}

/** `file://host/path`, the path percent-encoded (as VTE and macOS have it). */
function directory(url: string, hostname: string): OscMeaning | undefined {
  const match = /^file:\/\/([^/]*)(\/.*)$/is.exec(url);
  const [, host = '', encoded = ''] = match ?? [];
  if (match === null || !isHere(host, hostname)) return undefined;
  const path = decoded(encoded);
  if (path === undefined || path.includes('\0') || Buffer.byteLength(path) > limits.PATH_BYTES) {
    return undefined;
  }
  return { type: 'cwd', path: shownText(path) };
}

/** Some shells say the short name of a machine, some the whole one. */
function isHere(host: string, hostname: string): boolean {
  const short = (name: string): string => name.toLowerCase().split('.')[0] ?? '';
  return host === '' || short(host) === 'localhost' || short(host) === short(hostname);
}

/**
 * Marks of FinalTerm as in Per Bothner's "semantic prompts": a letter, and options after semicolons. `aid`
 * names the shell, since one may run within another; `cmdline_url` is what is run, percent-encoded (kitty).
 */
function mark(value: string): OscMeaning | undefined {
  const [letter = '', ...options] = value.split(';');
  const shell = (option(options, 'aid') ?? '').slice(0, SHELL_CHARACTERS);
  switch (letter) {
    case 'A':
      return { type: 'prompt', shell };
    case 'C':
      return { type: 'command-start', shell, command: commandLine(option(options, 'cmdline_url')) };
    case 'D':
      return { type: 'command-end', shell, status: exitStatus(options[0]) };
    default:
      return undefined;
  }
}

function option(options: readonly string[], name: string): string | undefined {
  return options.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
}

function commandLine(encoded: string | undefined): string | undefined {
  const line = encoded === undefined ? undefined : decoded(encoded)?.trim();
  if (line === undefined || line === '') return undefined;
  return cutText(shownText(line.replace(/\s*\n\s*/g, ' ')), limits.COMMAND_LINE_CHARACTERS);
}

/** Shells know 0 to 255, Windows 32 bits. */
function exitStatus(text: string | undefined): number | undefined {
  const status = text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;
  return status !== undefined && status <= 0xffff_ffff ? status : undefined;
}

/** Absent: it is not UTF-8, or the percent signs are not what they should be. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
