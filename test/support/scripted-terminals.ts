import { after } from 'node:test';
import type { TerminalRegistry, TerminalsOptions } from '../../src/main/agent/terminals/index.js';
import { createTerminals } from './terminals.js';

/**
 * Terminals for all tests of a file, after which they are closed: `scripts` says what each runs by its id, `fallback` what the
 * others do. Called once, at the top, after `checkLeaks`.
 */
export function scriptedTerminals(
  fallback: string,
  options: Partial<TerminalsOptions> = {},
): { readonly terminals: TerminalRegistry; readonly scripts: Map<string, string> } {
  const scripts = new Map<string, string>();
  const terminals = createTerminals((id) => scripts.get(id) ?? fallback, options);
  after(() => terminals.close());
  return { terminals, scripts };
}
