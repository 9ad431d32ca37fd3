import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  startAgent,
  type Agent,
  type AgentOptions,
  type Dialed,
  type Dialer,
} from '../../src/main/agent/index.js';
import { connectLocal } from '../../src/main/client/connection/index.js';
import {
  deferred,
  HoldfastError,
  silentLogger,
  type ByteChannel,
  type Logger,
} from '../../src/shared/common/index.js';
import {
  decodeAgentFrame,
  encodeClientFrame,
  TERMINAL_PROTOCOL_VERSION,
  type Metadata,
} from '../../src/shared/common/wire/index.js';
import { checkLeaks, tempDir, waitFor } from '../support/index.js';

checkLeaks();

const ISSUER = { kid: 'test', key: 'A'.repeat(43) };

/** A dialer whose listeners end when the test says so. */
class FakeBroker {
  dials = 0;
  metadata: unknown = {};
  issuerKeys = [ISSUER];
  #end: () => void = () => undefined;

  readonly dialer: Dialer = async ({ signal }) => {
    await Promise.resolve();
    this.dials += 1;
    const closed = deferred<void>();
    this.#end = closed.resolve;
    signal.addEventListener('abort', () => {
      closed.resolve();
    });
    return {
      metadata: this.metadata,
      listener: {
        onOffer: () => undefined,
        closed: closed.promise,
        close: () => {
          closed.resolve();
          return closed.promise;
        },
      },
      workspaceId: 'w1',
      workspace: 'test',
      issuerKeys: this.issuerKeys,
    } satisfies Dialed;
  };

  hangUp(): void {
    this.#end();
  }
}

async function withAgent(
  options: Partial<AgentOptions>,
  body: (agent: Agent, stateDir: string) => Promise<void>,
): Promise<void> {
  const dir = tempDir();
  const stateDir = join(dir, 'agent');
  const agent = await startAgent({ stateDir, logger: silentLogger, shell: '/bin/sh', ...options });
  try {
    await body(agent, stateDir);
  } finally {
    await agent.close();
  }
}

/** A terminal over the local socket, as text. */
async function openTerminal(agent: Agent, id: string) {
  const connection = await connectLocal({ path: agent.localSocket });
  const channel: ByteChannel = connection.openChannel({
    label: `${id}:24:80`,
    protocol: 'terminal',
  });
  const seen = { text: '', error: '', exited: false, isAttached: false, seq: 0 };
  channel.start({
    message: (bytes) => {
      channel.consumed(bytes.byteLength);
      const frame = decodeAgentFrame(bytes);
      if (frame.type === 'attached') seen.isAttached = true;
      if (frame.type === 'error') seen.error = frame.code;
      if (frame.type === 'exit') seen.exited = true;
      if (frame.type !== 'output') return;
      seen.text += Buffer.from(frame.bytes).toString();
      channel.send(encodeClientFrame({ type: 'ack', offset: frame.nextOffset, window: 1 << 18 }));
    },
    credit: () => undefined,
    end: () => undefined,
  });
  channel.send(
    encodeClientFrame({
      type: 'attach',
      version: TERMINAL_PROTOCOL_VERSION,
      wantsType: true,
      size: { rows: 24, cols: 80 },
      window: 1 << 18,
      clientId: crypto.getRandomValues(new Uint8Array(16)),
      settings: {},
    }),
  );
  return {
    seen,
    type: (text: string) => {
      const bytes = Buffer.from(text);
      channel.send(encodeClientFrame({ type: 'input', seq: seen.seq, bytes }));
      seen.seq += bytes.length;
    },
    sees: (pattern: RegExp) => waitFor(() => pattern.test(seen.text), { what: String(pattern) }),
    close: () => connection.close(),
  };
}

test('agent - start resolves before the first dial, and close gives up a dial that hangs at once', async () => {
  let aborted = false;
  await withAgent(
    {
      dialer: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(new Error('given up'));
          });
        }),
    },
    async (agent) => {
      assert.equal(agent.dialState, 'dialing');
      await agent.close();
      await agent.closed;
      assert.equal(aborted, true);
    },
  );
});

test('agent - terminals outlive the listener; metadata are read anew on each dial', async () => {
  const broker = new FakeBroker();
  const metadata: Partial<Metadata> = {
    environment_variables: { COLOUR: 'red' },
    owner_email: 'a@b.c',
  };
  broker.metadata = metadata;
  await withAgent({ dialer: broker.dialer }, async (agent) => {
    await waitFor(() => agent.dialState === 'connected');
    const first = await openTerminal(agent, 'first');
    first.type('echo "[$COLOUR] [$GIT_AUTHOR_EMAIL] [$GIT_SSH_COMMAND]"\r');
    await first.sees(/\[red\] \[a@b\.c\]/);
    broker.metadata = { environment_variables: { COLOUR: 'blue' } };
    broker.hangUp();
    await waitFor(() => broker.dials === 2 && agent.dialState === 'connected');
    first.type('echo still $COLOUR\r');
    await first.sees(/still red/);
    const second = await openTerminal(agent, 'second');
    second.type('echo now $COLOUR\r');
    await second.sees(/now blue/);
    await Promise.all([first.close(), second.close()]);
  });
});

test('agent - metadata that lie about their types are a failed dial, and what was good stays', async () => {
  const broker = new FakeBroker();
  broker.metadata = { environment_variables: { GOOD: 'yes' } };
  const warnings: unknown[] = [];
  const logger: Logger = { ...silentLogger, warn: (_, fields) => warnings.push(fields) };
  await withAgent({ dialer: broker.dialer, logger }, async (agent) => {
    await waitFor(() => agent.dialState === 'connected');
    for (const bad of [undefined, null, 'text', { environment_variables: [1] }, { directory: 7 }]) {
      const { dials } = broker;
      broker.metadata = bad;
      broker.hangUp();
      await waitFor(() => broker.dials > dials + 1);
    }
    assert.match(JSON.stringify(warnings), /ERR_METADATA/);
    const terminal = await openTerminal(agent, 'after');
    terminal.type('echo $GOOD indeed\r');
    await terminal.sees(/yes indeed/);
    await terminal.close();
  });
});

test('agent - the startup script runs once per process, however often the agent dials', async () => {
  const broker = new FakeBroker();
  broker.metadata = { startup_script: 'echo ran; ls /proc/$$/fd; env | grep ^HOLDFAST_' };
  await withAgent({ dialer: broker.dialer }, async (agent, stateDir) => {
    const log = join(stateDir, 'startup-script.log');
    await waitFor(async () => (await readFile(log, 'utf8').catch(() => '')).includes('HOLDFAST'));
    broker.hangUp();
    await waitFor(() => broker.dials === 2 && agent.dialState === 'connected');
    await sleep(200);
    const text = await readFile(log, 'utf8');
    assert.equal(text.split('\n').filter((line) => line === 'ran').length, 1);
    assert.deepEqual(
      text.split('\n').filter((line) => /^\d+$/.test(line)),
      ['0', '1', '2'],
    );
    assert.match(text, /HOLDFAST_GIT_SOCK=/);
    assert.doesNotMatch(text, /TOKEN/);
    assert.equal((await stat(log)).mode & 0o777, 0o600);
  });
});

test('agent - a folder that is in use, or a bad option, is refused with a code', async () => {
  const broker = new FakeBroker();
  const refuses = (code: string) => (error: unknown) =>
    error instanceof HoldfastError && error.code === code;
  await withAgent({ dialer: broker.dialer }, async (_, stateDir) => {
    await assert.rejects(
      startAgent({ stateDir, logger: silentLogger, dialer: broker.dialer }),
      refuses('ERR_ALREADY_RUNNING'),
    );
  });
  const base = { stateDir: '/nonexistent/x', logger: silentLogger };
  await assert.rejects(startAgent(base), refuses('ERR_INVALID_ARGUMENT'));
  await assert.rejects(
    startAgent({ ...base, dialer: broker.dialer, ringBytes: 12 }),
    refuses('ERR_INVALID_ARGUMENT'),
  );
  await assert.rejects(
    startAgent({ ...base, stateDir: '/proc/none', dialer: broker.dialer }),
    refuses('ERR_STATE_DIR'),
  );
});

test('agent - issuers are pinned at the first dial, and others are not believed after it', async () => {
  const broker = new FakeBroker();
  const dir = tempDir();
  const stateDir = join(dir, 'agent');
  const errors: string[] = [];
  const logger: Logger = { ...silentLogger, error: (message) => errors.push(message) };
  const run = async (): Promise<void> => {
    const agent = await startAgent({ stateDir, logger, dialer: broker.dialer });
    await waitFor(() => agent.dialState === 'connected');
    await agent.close();
  };
  await run();
  broker.issuerKeys = [ISSUER, { kid: 'next', key: 'C'.repeat(43) }];
  await run();
  assert.deepEqual(errors, []);
  broker.issuerKeys = [{ kid: 'evil', key: 'B'.repeat(43) }];
  await run();
  assert.match(errors.join(), /not pinned/);
  assert.match(await readFile(join(stateDir, 'issuers.json'), 'utf8'), new RegExp(ISSUER.key));
});

test('agent - unknown protocols are closed with a reason, the fault door too unless it was opened', async () => {
  const broker = new FakeBroker();
  await withAgent({ dialer: broker.dialer }, async (agent) => {
    const connection = await connectLocal({ path: agent.localSocket });
    for (const protocol of ['fault', 'telnet', 'SSH', '']) {
      const channel = connection.openChannel({ label: 'terminal:x:exit', protocol });
      const ended = deferred<string>();
      channel.start({
        message: () => undefined,
        credit: () => undefined,
        end: (end) => {
          ended.resolve(end.type === 'closed' ? (end.error?.code ?? 'none') : 'lost');
        },
      });
      assert.equal(await ended.promise, 'ERR_UNKNOWN_PROTOCOL');
    }
    assert.equal((await connection.terminals()).length, 0);
    await connection.close();
  });
});

test('agent - close ends shells, background jobs and what ignores HUP and TERM, within its bound', async () => {
  const broker = new FakeBroker();
  // Numbers that no other process sleeps for.
  const [script, job, stubborn] = [1, 2, 3].map((part) => process.pid * 10 + part) as [
    number,
    number,
    number,
  ];
  broker.metadata = { startup_script: `exec sleep ${String(script)}` };
  await withAgent({ dialer: broker.dialer }, async (agent) => {
    const terminal = await openTerminal(agent, 'stubborn');
    terminal.type(
      `sleep ${String(job)} & sh -c 'trap "" HUP TERM; while :; do sleep ${String(stubborn)}; done'\r`,
    );
    await waitFor(() => alive(script) && alive(job) && alive(stubborn));
    await agent.close();
    assert.deepEqual([script, job, stubborn].filter(alive), []);
    await terminal.close();
  });
});

function alive(seconds: number): boolean {
  const list = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
  return list.split('\n').includes(`sleep ${String(seconds)}`);
}
