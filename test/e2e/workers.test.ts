import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLeaks, requireProgram, waitFor } from '../support/index.js';
import {
  connect,
  HANDSHAKE_MS,
  injectFault,
  keepConnected,
  startAgentProgram,
  startSsh,
  useUp,
  Watcher,
} from '../support/e2e.js';

checkLeaks({ patienceMs: HANDSHAKE_MS });

const currentUp = useUp();
/** What the SSH session prints first. */
const GREETING = 'up\n';
const KINDS = ['throw', 'exit', 'heap', 'loop'] as const;
/**
 * A worker whose loop stands still is replaced after two missed beats: 30 s by default, 2 s here. Not
 * quicker, so that on a busy machine a worker that is only slow, or dying of its heap, is not taken for one.
 */
const ARGS = ['--enable-fault-door', '--worker-beat', '1s'];
const COUNTING = `exec bash -c 'stty raw -echo; for ((i = 0; ; i++)); do printf "%018d\\r\\n" $i; done'\n`;

/** Checks that the numbered lines of a flood follow each other, but for stated gaps. */
class Lines {
  count = 0;
  wrong = 0;
  watcher: Watcher | undefined;
  #carry = '';
  #last: number | undefined;
  #gaps = 0;

  readonly take = (bytes: Uint8Array): void => {
    const gaps = this.watcher?.gaps.length ?? 0;
    if (gaps !== this.#gaps) {
      this.#gaps = gaps;
      this.#carry = '';
      this.#last = undefined;
    }
    const lines = (this.#carry + Buffer.from(bytes).toString('latin1')).split('\r\n');
    this.#carry = lines.pop() ?? '';
    for (const line of lines) {
      if (!/^\d{18}$/.test(line)) continue;
      const number = Number(line);
      if (this.#last !== undefined && number !== this.#last + 1) this.wrong += 1;
      this.#last = number;
      this.count += 1;
    }
  };
}

test(
  'workers e2e - a terminal worker dies by throw, exit, heap and loop: shells live on, viewers come back over WebRTC',
  { ...requireProgram('ssh'), timeout: 240_000 },
  async (t) => {
    const up = currentUp();
    const agent = await startAgentProgram(t, up, {
      workspace: 'frail',
      args: ARGS,
    });
    const links = keepConnected(() => connect(up, { workspace: 'frail' }));
    const session = startSsh(up, ['-tt', 'frail.holdfast', 'stty raw -echo; echo up; exec cat']);
    await waitFor(() => session.stdout().includes('up'), {
      what: 'the session',
      timeoutMs: 60_000,
    });
    const beside = new Watcher(links, 'beside');
    await beside.attached();
    let sent = '';
    for (const kind of KINDS) {
      const lines = new Lines();
      const flood = new Watcher(links, `flood-${kind}`, { onOutput: lines.take });
      lines.watcher = flood;
      await flood.attached();
      flood.type(COUNTING);
      await waitFor(() => lines.count > 5_000, { what: 'a flood', timeoutMs: 60_000 });
      await injectFault(agent.socket, `terminal:flood-${kind}:${kind}`);
      await flood.attached(2);
      const resumed = lines.count;
      await waitFor(() => lines.count > resumed + 5_000, { what: 'the flood', timeoutMs: 60_000 });
      assert.equal(lines.wrong, 0, 'the same log, and every gap is stated');
      assert.equal(flood.defects, 0);
      assert.equal(flood.restarts, 0, 'the same shell');
      beside.type(`echo "beside-""${kind}"\n`);
      await beside.sees(`beside-${kind}\r\n`);
      const line = `line of ${kind}\n`;
      session.child.stdin?.write(line);
      sent += line;
      const wanted = GREETING + sent;
      // Whatever came in time is compared, so that a failure shows what is missing or twice.
      await waitFor(() => session.stdout().length >= wanted.length).catch(() => undefined);
      assert.equal(
        session.stdout().toString(),
        wanted,
        `the SSH session after ${kind}; ssh: ${session.stderr()} agent: ${agent.program.stderr()} ${agent.program.stdout().toString()}`,
      );
      await (await links.get()).kill(`flood-${kind}` as never);
      await flood.exited;
      await flood.client.close();
      t.diagnostic(`${kind}: ${String(flood.gaps.length)} gaps`);
    }
    assert.equal(beside.defects, 0);
    assert.equal(beside.restarts, 0);
    await session.stop();
    await beside.client.close();
    await links.close();
  },
);

test(
  'workers e2e - a peer worker dies by throw, exit, heap and loop: its viewers come back by themselves, others notice nothing',
  { timeout: 240_000 },
  async (t) => {
    const up = currentUp();
    const agent = await startAgentProgram(t, up, {
      workspace: 'brittle',
      args: ARGS,
    });
    const viewers = await Promise.all(
      [0, 1, 2, 3].map(async (number) => {
        const lines = new Lines();
        const links = keepConnected(() => connect(up, { workspace: 'brittle' }));
        const watcher = new Watcher(links, `shell-${String(number)}`, { onOutput: lines.take });
        lines.watcher = watcher;
        await watcher.attached();
        return { links, watcher };
      }),
    );
    for (const { watcher } of viewers) watcher.type('token=$$; echo "ready"-1\n');
    for (const { watcher } of viewers) await watcher.sees('ready-1\r\n');
    for (const kind of KINDS) {
      const before = viewers.map(({ watcher }) => watcher.states.length);
      await injectFault(agent.socket, `peer:${kind}`).catch(() => undefined);
      const moved = (): number =>
        viewers.filter(({ watcher }, index) => watcher.states.length > (before[index] ?? 0)).length;
      await waitFor(() => moved() > 0, { what: `viewers to notice ${kind}`, timeoutMs: 60_000 });
      await waitFor(() => viewers.every(({ watcher }) => watcher.states.at(-1) === 'attached'), {
        what: 'viewers to come back',
        timeoutMs: 60_000,
      });
      t.diagnostic(`${kind}: ${String(moved())} of 4 reconnected`);
      for (const { watcher } of viewers) {
        watcher.type(`[ "$token" = $$ ] && echo "same"-${kind}\n`);
      }
      for (const { watcher } of viewers) {
        await watcher.sees(`same-${kind}\r\n`);
        assert.equal(watcher.defects, 0);
        assert.equal(watcher.restarts, 0);
        assert.deepEqual(watcher.gaps, []);
      }
    }
    for (const { watcher, links } of viewers) {
      await watcher.client.close();
      await links.close();
    }
  },
);
