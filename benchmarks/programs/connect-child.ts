/** Program: starts a client on a PTY, as a person does, and times how long the first prompt takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { serveProgram } from '../harness/index.js';
import { openPtyProgram } from './sessions/pty-program.js';

export interface ConnectParams {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The end of a prompt of sh or bash, and the sequences that bash writes behind it. */

const PROMPT = /[#$] (?:\u001b\[[0-9;?]*[A-Za-z])*$/;
const PROMPT_MS = 20_000;
const EXIT_MS = 3_000;

const methods = {
  /** In ms, the start of the process included. The shell is ended, and the client with it. */
  connect: async ({ args, env }: ConnectParams): Promise<number> => {
    let text = '';
    let seen = (): void => undefined;
    let failed = (_: Error): void => undefined;
    const prompt = new Promise<void>((resolve, reject) => {
      seen = resolve;
      failed = reject;
    });
    let ended = (): void => undefined;
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const late = setTimeout(() => {
      failed(new Error(`no prompt: ${JSON.stringify(text.slice(-300))}`));
    }, PROMPT_MS);
    const start = performance.now();
    const session = await openPtyProgram(args, env, {
      data: (bytes) => {
        text = (text + Buffer.from(bytes).toString('latin1')).slice(-4_096);
        if (PROMPT.test(text)) seen();
      },
      lost: () => undefined,
      end: () => {
        failed(new Error(`ended without a prompt: ${JSON.stringify(text.slice(-300))}`));
        ended();
      },
    });
    try {
      await prompt;
      const took = performance.now() - start;
      session.write('exit\n');
      await Promise.race([end, sleep(EXIT_MS)]);
      return took;
    } finally {
      clearTimeout(late);
      await session.close();
    }
  },
};

export type ConnectMethods = typeof methods;

serveProgram(methods, async () => undefined);
