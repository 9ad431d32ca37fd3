import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectLocal } from '../../src/main/client/connection/index.js';
import { checkLeaks, requireProgram } from '../support/index.js';
import { keepConnected } from '../support/e2e.js';
import { startLocalAgent } from '../support/local-agent.js';
import { sharedRun } from '../support/shared-run.js';

checkLeaks();

const WITH_TMUX = { ...requireProgram('tmux'), timeout: 120_000 };

for (const pace of ['fastest', 'slowest'] as const) {
  test(
    `shared - ${pace}: one of four viewers is stopped: the others miss nothing, and it comes back right`,
    WITH_TMUX,
    async (t) => {
      const { agent, socket } = await startLocalAgent();
      try {
        const run = await sharedRun({
          link: () => keepConnected(() => connectLocal({ path: socket })),
          workspace: 'any',
          attachArgs: ['--local', '--socket', socket],
          pace,
          beforeMs: 500,
          stoppedMs: 1_500,
        });
        t.diagnostic(
          `${run.notices[1] ?? ''}; ratio ${(run.stoppedRate / run.beforeRate).toFixed(2)}`,
        );
        assert.deepEqual({ missed: run.missed, defects: run.defects }, { missed: 0, defects: 0 });
        assert.ok(run.stoppedRate > 0);
        assert.equal(run.notices[0], undefined, 'the other attach missed nothing');
        assert.ok(run.notices[1] !== undefined);
        assert.equal(run.screens[1], run.screens[0]);
      } finally {
        await agent.close();
      }
    },
  );
}
