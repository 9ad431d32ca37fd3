import assert from 'node:assert/strict';
import { waitFor } from '../../support/index.js';
import { freePort } from '../../support/ssh-harness.js';
import { assertEchoes, echoServer, isListening } from '../network.js';
import { start } from '../run-command.js';
import type { Check, Client, Command, Place } from '../types.js';

type Forward = ((place: Place, listen: number, target: number) => Command) | undefined;

/** Several connections at once come through whole, and with the client the listener is gone. */
async function check(place: Place, forward: Forward): Promise<void> {
  assert.ok(forward);
  const echo = await echoServer();
  const listen = await freePort();
  const running = start(place, forward(place, listen, echo.port));
  try {
    await Promise.race([
      assertEchoes(listen),
      running.ended.then(({ status, stderr }) => {
        throw new Error(`the client ended with ${String(status)}: ${stderr.slice(-300)}`);
      }),
    ]);
    await running.stop();
    await waitFor(async () => !(await isListening(listen)) && echo.open === 0, {
      what: 'the end of the listener and its connections',
    });
  } finally {
    await running.stop();
    await echo.close();
  }
}

const isThere = (name: 'local' | 'remote') => (client: Client) => client[name] !== undefined;

export const local: Check = {
  name: 'local',
  title: '-L',
  applies: isThere('local'),
  run: (client, { place }) => check(place, client.local?.bind(client)),
};

export const remote: Check = {
  name: 'remote',
  title: '-R',
  applies: isThere('remote'),
  run: (client, { place }) => check(place, client.remote?.bind(client)),
};
