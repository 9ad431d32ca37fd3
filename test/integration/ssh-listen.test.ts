import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { once } from 'node:events';
import { afterEach, test } from 'node:test';
import ssh2 from 'ssh2';
import type { Agent, AgentOptions } from '../../src/main/agent/index.js';
import { limits } from '../../src/shared/common/index.js';
import { checkLeaks, requireProgram, runProgram, tempDir, waitFor } from '../support/index.js';
import { startLocalAgent } from '../support/local-agent.js';
import { cleanEnvironment } from '../support/up.js';

checkLeaks();

const WITH_SSH = { ...requireProgram('ssh'), timeout: 120_000 };
const KEY = ssh2.utils.generateKeyPairSync('ed25519');
const OTHER = ssh2.utils.generateKeyPairSync('ed25519');

let agent: Agent | undefined;
afterEach(async () => {
  await agent?.close();
  agent = undefined;
});

async function start(options: Partial<AgentOptions> = {}): Promise<Agent> {
  const started = await startLocalAgent({
    authorizedKeys: [KEY.public],
    sshListen: { host: '127.0.0.1', port: 0 },
    ...options,
  });
  agent = started.agent;
  assert.ok(agent.sshPort > 0);
  return agent;
}

/** OpenSSH's client with a private key and the host key of the agent pinned. */
function ssh({ sshPort, sshHostKey }: Agent, privateKey: string, ...command: readonly string[]) {
  const folder = path.join(tempDir(), 'keys');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(folder, 'id'), privateKey, { mode: 0o600 });
  const known = `[127.0.0.1]:${String(sshPort)} ${sshHostKey}\n`;
  writeFileSync(path.join(folder, 'known_hosts'), known);
  const options = [
    `IdentityFile=${path.join(folder, 'id')}`,
    'IdentitiesOnly=yes',
    `UserKnownHostsFile=${path.join(folder, 'known_hosts')}`,
    'StrictHostKeyChecking=yes',
    'BatchMode=yes',
  ].flatMap((option) => ['-o', option]);
  const args = ['-F', 'none', ...options, '-p', String(sshPort), 'holdfast@127.0.0.1', ...command];
  return runProgram('ssh', args, { env: cleanEnvironment(tempDir()) });
}

test(
  'ssh listen - an authorized key gets a command with its status, and the true addresses',
  WITH_SSH,
  async () => {
    const running = await start();
    const { status, stdout } = await ssh(running, KEY.private, 'echo $SSH_CONNECTION; exit 7');
    assert.equal(status, 7);
    const [from, port, to, toPort] = stdout.toString().trim().split(' ');
    assert.deepEqual([from, to, toPort], ['127.0.0.1', '127.0.0.1', String(running.sshPort)]);
    assert.ok(Number(port) > 0);
  },
);

test('ssh listen - no other key and no other method lets anybody in', WITH_SSH, async () => {
  const running = await start();
  const { status, stderr } = await ssh(running, OTHER.private, 'true');
  assert.equal(status, 255);
  assert.match(stderr, /Permission denied \(publickey\)/);
});

test('ssh listen - without keys it does not open at all, and a taken port is said', async () => {
  for (const authorizedKeys of [undefined, []]) {
    await assert.rejects(start({ authorizedKeys }), { code: 'ERR_CONFIG' });
  }
  const { sshPort } = await start();
  const first = agent;
  await assert.rejects(start({ sshListen: { host: '127.0.0.1', port: sshPort } }), {
    code: 'ERR_PORT_IN_USE',
  });
  agent = first;
});

test(
  'ssh listen - clients that never log in take the place of nobody else for long',
  WITH_SSH,
  async () => {
    const running = await start();
    const sockets: Socket[] = [];
    let cut = 0;
    for (let count = 0; count < limits.SSH_STARTUPS + 4; count += 1) {
      const socket = connect(running.sshPort, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.on('close', () => {
        cut += 1;
      });
      await once(socket, 'connect');
      sockets.push(socket);
    }
    await waitFor(() => cut === 4, { what: 'those beyond the limit to be cut off' });
    sockets[0]?.destroy();
    await waitFor(async () => (await ssh(running, KEY.private, 'true')).status === 0);
    for (const socket of sockets) socket.destroy();
  },
);

test(
  'ssh listen - the end of the agent ends its clients, and the port is free',
  WITH_SSH,
  async () => {
    const running = await start();
    const hanging = ssh(running, KEY.private, 'echo up; sleep 100');
    await waitFor(() => running.sshPort > 0);
    const socket = connect(running.sshPort, '127.0.0.1');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    await running.close();
    await closed;
    assert.equal((await hanging).status, 255);
    const again = connect(running.sshPort, '127.0.0.1');
    const [error] = (await once(again, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  },
);
