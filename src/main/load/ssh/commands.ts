import { Writable } from 'node:stream';
import type { Closable } from '../../../shared/common/index.js';
import { toErrorRecord } from '../../../shared/common/index.js';
import { startSession } from '../../client/index.js';
import type { LoadFigures } from '../figures/index.js';
import { pick, type Random } from '../random.js';
import type { SshKeeper } from './ssh-keeper.js';

/** Short, and every system has it. */
const COMMAND = 'true';

export interface CommandsOptions {
  readonly keepers: readonly SshKeeper[];
  readonly figures: LoadFigures;
  readonly random: Random;
}

/** Commands over SSH connections that stand, timed from the request to the status. */
export class Commands implements Closable {
  readonly #options: CommandsOptions;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Runs one. Never rejects: what goes wrong is counted, but for connections that broke meanwhile. */
  async run(): Promise<void> {
    const { keepers, figures, random } = this.#options;
    const keeper = pick(keepers, random);
    if (keeper === undefined) return;
    try {
      const connection = await keeper.get();
      const begun = performance.now();
      const sink = new Writable({
        write: (_chunk, _encoding, done) => {
          done();
        },
      });
      const session = await startSession(connection, {
        command: COMMAND,
        env: {},
        stdout: sink,
        stderr: sink,
      });
      const exit = await session.exited;
      if (exit.kind === 'unknown') return;
      figures.counts.execs += 1;
      figures.latencies.exec.record(performance.now() - begun);
      if (exit.kind !== 'status' || exit.status !== 0)
        figures.fault('wrongExits', 1, `\`${COMMAND}\` over SSH did not end with status 0`);
    } catch (error) {
      const { code, message } = toErrorRecord(error);
      if (code !== 'ERR_PEER_LOST' && code !== 'ERR_CLOSED') figures.error(code, `SSH: ${message}`);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#options.keepers.map((keeper) => keeper.close()));
  }
}
