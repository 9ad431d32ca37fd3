/** A small share of `npm run test:ssh`: the checks that need no terminal and no WebRTC, for each client. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Agent } from '../../src/main/agent/index.js';
import { limits } from '../../src/shared/common/index.js';
import { CHECKS } from '../ssh/checks/index.js';
import { CLIENTS } from '../ssh/clients/index.js';
import { makeKey, placeAt } from '../ssh/places.js';
import { isFailure, runClient } from '../ssh/run-suite.js';
import type { Place } from '../ssh/types.js';
import { checkLeaks, tempDir } from '../support/index.js';
import { startLocalAgent } from '../support/local-agent.js';

checkLeaks();

const CHECK_NAMES: readonly string[] = ['exec', 'status', 'bulk', 'sftp'];
/** Go's compiler is larger than all others together, and takes a minute without its cache. */
const LEFT_OUT: readonly string[] = ['Go'];

let agent: Agent;
let place: Place;
before(async () => {
  const { keyFile, authorized } = makeKey(join(tempDir(), 'keys'));
  const started = await startLocalAgent({
    authorizedKeys: [readFileSync(authorized, 'utf8').trim()],
    sshListen: { host: '127.0.0.1', port: 0 },
  });
  agent = started.agent;
  place = placeAt({ port: agent.sshPort, keyFile, hostKey: agent.sshHostKey });
});
after(() => agent.close());

describe('ssh clients', { concurrency: 2, timeout: 240_000 }, () => {
  for (const client of CLIENTS.filter(({ name }) => !LEFT_OUT.includes(name))) {
    test(`ssh clients - ${client.name} runs commands and copies files`, async (t) => {
      const checks = CHECKS.filter(({ name }) => CHECK_NAMES.includes(name));
      const { cells } = await runClient(client, checks, { place, bulkBytes: limits.MIB });
      for (const [name, cell] of Object.entries(cells)) {
        if (cell.type === 'missing') t.diagnostic(`not run: ${cell.reason}`);
        assert.ok(!isFailure(cell), `${name}: ${cell.type === 'ok' ? '' : cell.reason}`);
      }
    });
  }
});
