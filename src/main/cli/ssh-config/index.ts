/**
 * The part of an ssh configuration that Holdfast owns: its text, its place in a file, its quoting.
 * Main thread of `config-ssh` and `up`.
 */
export { BEGIN_MARK, editBlock, END_MARK } from './block.js';
export { writeBlock } from './file.js';
export { quoteForKnownHostsCommand, quoteForProxyCommand, quoteForShell } from './quote.js';
export { blockLines, HOST_SUFFIX, wholeFile, type TemplateOptions } from './template.js';
