import assert from 'node:assert/strict';
import { waitFor, type RunningProgram } from '../../support/index.js';
import { start } from '../run-command.js';
import type { Check } from '../types.js';

const SIZE = { rows: 33, cols: 97 };
/** Sequences that a prompt may hold: colours, bracketed paste, titles. */

const SEQUENCES = /\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07/g;

function screen(shell: RunningProgram): string {
  return shell.stdout().toString().replace(SEQUENCES, '');
}

async function waitForScreen(shell: RunningProgram, text: RegExp, what: string): Promise<void> {
  await waitFor(() => text.test(screen(shell)), { what, timeoutMs: 60_000 }).catch(
    (error: unknown) => {
      const seen = `${screen(shell)}${shell.stderr()}`.slice(-300);
      throw new Error(`${String(error)}; seen: ${JSON.stringify(seen)}`);
    },
  );
}

/** A login shell prompts, knows the size of the client's window, echoes, and passes on its status. */
export const shell: Check = {
  name: 'shell',
  title: 'shell, PTY',
  applies: (client) => client.shell !== undefined,
  run: async (client, { place }) => {
    const command = client.shell?.(place, SIZE);
    assert.ok(command);
    const running = start(place, command);
    try {
      await waitForScreen(running, /[$#] $/, 'a prompt');
      running.child.stdin?.write('stty size; tty\r');
      await waitForScreen(running, /\n\r?33 97\r\n\/dev\/pts\/\d+\r\n/, 'the size');
      running.child.stdin?.write('echo "sum:$((40+2))"\r');
      await waitForScreen(running, /echo "sum:\$\(\(40\+2\)\)"\s+sum:42\r\n/, 'echo and answer');
      running.child.stdin?.write('exit 3\r');
      const { status } = await running.ended;
      assert.equal(status, 3, `the shell ended with 3, the client with ${String(status)}`);
    } finally {
      await running.stop();
    }
  },
};
