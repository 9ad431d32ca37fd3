import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createBrokerApi } from '../../src/main/client/index.js';
import { limits } from '../../src/shared/common/index.js';
import { checkLeaks } from '../support/index.js';

checkLeaks();

/** An API whose broker answers with `answer`, and how often that was asked. */
async function against(
  answer: RequestListener,
  use: (api: ReturnType<typeof createBrokerApi>, asked: () => number) => Promise<void>,
): Promise<void> {
  let asked = 0;
  const server: Server = createServer((request, response) => {
    asked += 1;
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const api = createBrokerApi({
    brokerUrl: `http://127.0.0.1:${String(port)}`,
    token: 'secret',
    timeoutMs: 2_000,
  });
  await use(api, () => asked);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

test('broker http - a redirect is not followed, since the token would go along', async () => {
  await against(
    (_request, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end();
    },
    async (api, asked) => {
      await assert.rejects(api.whoami(), { code: 'ERR_PROTOCOL' });
      assert.equal(asked(), 1);
    },
  );
});

test('broker http - an endless answer is cut off at its bound', async () => {
  await against(
    (_request, response) => {
      response.on('error', () => undefined);
      const part = Buffer.alloc(limits.MIB, ' ');
      const write = (): void => {
        while (!response.destroyed && response.write(part));
      };
      response.on('drain', write);
      write();
    },
    async (api) => {
      await assert.rejects(api.whoami(), { code: 'ERR_BROKER_UNREACHABLE', message: /too long/ });
    },
  );
});

test('broker http - one that is silent, cuts off or is not there is said to be so', async () => {
  await against(
    () => undefined,
    async (api) => {
      await assert.rejects(api.whoami(), { code: 'ERR_BROKER_UNREACHABLE', message: /in time/ });
      const signal = AbortSignal.abort();
      await assert.rejects(api.whoami({ signal }), { code: 'ERR_CLOSED' });
    },
  );
  await against(
    (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      response.socket?.destroy();
    },
    async (api) => {
      await assert.rejects(api.whoami(), { code: 'ERR_BROKER_UNREACHABLE' });
    },
  );
  const nobody = createBrokerApi({ brokerUrl: 'http://127.0.0.1:1', token: 'secret' });
  await assert.rejects(nobody.whoami(), { code: 'ERR_BROKER_UNREACHABLE', message: /REFUSED/ });
});
