import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  Backoff,
  HoldfastError,
  limits,
  parseTerminalId,
  type ByteChannel,
  type ErrorRecord,
} from '../../src/shared/common/index.js';
import {
  createTerminalClient,
  type TerminalClient,
  type TerminalClientOptions,
  type TerminalClientState,
} from '../../src/shared/common/terminal-client/index.js';
import { encodeAgentFrame, type AgentFrame } from '../../src/shared/common/wire/index.js';
import { ManualClock } from '../support/manual-clock.js';
import { memoryChannels, settle, type MemoryChannel } from '../support/memory-channel.js';
import { ScriptedTerminal } from '../support/scripted-terminal.js';

const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 2 ** 31);

interface Rig {
  readonly client: TerminalClient;
  readonly clock: ManualClock;
  readonly states: TerminalClientState[];
  readonly errors: ErrorRecord[];
  readonly labels: string[];
  readonly events: string[];
  /** What was shown, per log; gaps as `[from-to]`. */
  readonly screens: string[];
  /** The client's end of the newest channel. */
  channel(): MemoryChannel;
  /** Lets the pending `openChannel` promise settle, then moves all messages. */
  run(): Promise<void>;
  unprocessed: number;
}

function rig(
  serve: (channel: ByteChannel) => void,
  options: Partial<TerminalClientOptions> & { readonly process?: boolean } = {},
): Rig {
  const clock = new ManualClock();
  const channels: MemoryChannel[] = [];
  const result: Rig = {
    clock,
    states: [],
    errors: [],
    labels: [],
    events: [],
    screens: [''],
    unprocessed: 0,
    channel: () => channels.at(-1) ?? assert.fail('no channel'),
    run: async () => {
      for (let round = 0; round < 4; round += 1) {
        await Promise.resolve();
        const channel = channels.at(-1);
        if (channel !== undefined) settle(channel);
      }
    },
    client: createTerminalClient({
      openChannel: (label) => {
        result.labels.push(label);
        const [ours, theirs] = memoryChannels();
        channels.push(ours);
        serve(theirs);
        return ours;
      },
      id: parseTerminalId('one'),
      size: { rows: 24, cols: 80 },
      wantsType: true,
      clientId: new Uint8Array(16).fill(7),
      clock,
      backoff: new Backoff({ minMs: 50, maxMs: 1_000, random: () => 0.5 }),
      handlers: {
        output: (bytes) => {
          result.screens.push((result.screens.pop() ?? '') + Buffer.from(bytes).toString('latin1'));
          if (options.process === false) result.unprocessed += bytes.length;
          else result.client.processed(bytes.length);
        },
        gap: (from, to) => {
          result.screens.push(`${result.screens.pop() ?? ''}[${String(from)}-${String(to)}]`);
        },
        restarted: () => result.screens.push(''),
        state: (state) => result.states.push(state),
        error: (error) => result.errors.push(error),
        size: (size) => result.events.push(`size ${String(size.rows)}x${String(size.cols)}`),
        title: (title) => result.events.push(`title ${title}`),
        presence: ({ viewers }) => result.events.push(`presence ${String(viewers)}`),
        snapshot: (bytes, at) => {
          result.events.push(`snapshot ${String(at.offset)} ${Buffer.from(bytes).toString()}`);
          result.client.processed(bytes.length);
        },
        exit: (exit, total) => result.events.push(`exit ${exit.kind} ${String(total)}`),
      },
      ...options,
    }),
  };
  return result;
}

/** An agent end that answers `attach` with these frames and then stays silent. */
function answering(...frames: AgentFrame[]): (channel: ByteChannel) => void {
  return (channel) => {
    channel.start({
      message: () => {
        for (const frame of frames.splice(0)) channel.send(encodeAgentFrame(frame));
      },
      credit: () => undefined,
      end: () => {
        channel.close();
      },
    });
  };
}

const ATTACHED: AgentFrame = {
  type: 'attached',
  version: 1,
  mayType: true,
  created: true,
  epoch: '00000000000000aa' as never,
  oldest: 0,
  offset: 0,
  head: 0,
  size: { rows: 24, cols: 80 },
  inputSeq: 0,
  inputWindow: 1_000,
  pace: 'fastest',
  sizePolicy: 'latest',
};

const output = (offset: number, text: string): AgentFrame => ({
  type: 'output',
  replay: false,
  quiet: false,
  offset,
  nextOffset: offset + text.length,
  bytes: Buffer.from(text),
});

test('terminal client - attaches, shows output, types', async () => {
  const terminal = new ScriptedTerminal();
  terminal.write('hello ');
  const { client, run, screens, states, labels } = rig((channel) => {
    terminal.serve(channel);
  });
  client.start();
  await run();
  terminal.write('world');
  assert.equal(client.input(Buffer.from('ls\r')), true);
  await run();
  assert.deepEqual(screens, ['hello world']);
  assert.equal(terminal.typed, 'ls\r');
  assert.deepEqual(labels, ['one:24:80']);
  assert.deepEqual(
    states.map(({ type }) => type),
    ['connecting', 'attached'],
  );
  assert.deepEqual(terminal.faults, []);
});

test('terminal client - comes back where it was after a lost channel', async () => {
  const terminal = new ScriptedTerminal();
  const { client, run, screens, states, channel, clock } = rig((end) => {
    terminal.serve(end);
  });
  client.start();
  terminal.write('abc');
  await run();
  client.input(Buffer.from('x'));
  channel().break();
  terminal.write('def');
  client.input(Buffer.from('y'));
  assert.equal(states.at(-1)?.type, 'reconnecting');
  clock.advance(1_000);
  await run();
  assert.deepEqual(screens, ['abcdef']);
  assert.equal(terminal.typed, 'xy');
  const attach = terminal.frames.filter((frame) => frame.type === 'attach').at(-1);
  assert.equal(attach?.type === 'attach' ? attach.offset : undefined, 3);
});

test("terminal client - what waits is a copy: the caller's buffer is free again (slice() of a Buffer is a view)", async () => {
  const terminal = new ScriptedTerminal();
  const { client, run, channel, clock } = rig((end) => {
    terminal.serve(end);
  });
  client.start();
  await run();
  channel().break();
  const typed = Buffer.from('typed');
  client.input(typed);
  typed.fill('!');
  clock.advance(1_000);
  await run();
  assert.equal(terminal.typed, 'typed');
});

test('terminal client - a gap is told once', async () => {
  const terminal = new ScriptedTerminal();
  const { client, run, screens, channel, clock } = rig((end) => {
    terminal.serve(end);
  });
  client.start();
  terminal.write('abc');
  await run();
  channel().break();
  terminal.write('defghi');
  terminal.evict(2);
  clock.advance(1_000);
  await run();
  assert.deepEqual(screens, ['abc[3-7]hi']);
});

test('terminal client - a new log starts a new screen and drops input meant for the old one', async () => {
  const terminal = new ScriptedTerminal();
  const { client, run, screens, channel, clock, errors } = rig((end) => {
    terminal.serve(end);
  });
  client.start();
  terminal.write('abc');
  await run();
  channel().break();
  client.input(Buffer.from('rm -rf build\r'));
  terminal.restart('00000000000000bb');
  terminal.write('$ ');
  clock.advance(1_000);
  await run();
  client.input(Buffer.from('ls'));
  await run();
  assert.deepEqual(screens, ['abc', '$ ']);
  assert.equal(terminal.typed, 'ls');
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['ERR_WORKER_LOST'],
  );
});

test('terminal client - input beyond the bound is refused and said', async () => {
  const terminal = new ScriptedTerminal();
  terminal.inputWindow = 0;
  const { client, run, errors } = rig((end) => {
    terminal.serve(end);
  });
  client.start();
  await run();
  assert.equal(client.input(new Uint8Array(limits.PTY_INPUT_BYTES)), true);
  assert.equal(client.inputRoom, 0);
  assert.equal(client.input(Buffer.from('x')), false);
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['ERR_INPUT_OVERRUN'],
  );
  await run();
  assert.equal(terminal.typed, '');
});

test('terminal client - a viewer that may not type is told so and goes on watching', async () => {
  const terminal = new ScriptedTerminal();
  terminal.mayType = false;
  const { client, run, errors, states, screens } = rig((end) => {
    terminal.serve(end);
  });
  client.start();
  client.input(Buffer.from('early'));
  await run();
  assert.equal(client.input(Buffer.from('late')), false);
  terminal.write('seen');
  await run();
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['ERR_READ_ONLY', 'ERR_READ_ONLY'],
  );
  assert.deepEqual(states.at(-1), { type: 'attached', mayType: false, created: false });
  assert.deepEqual(screens, ['seen']);
  assert.equal(terminal.typed, '');
});

test('terminal client - an agent that refuses typing gets a watching attach next', async () => {
  let attempts = 0;
  const terminal = new ScriptedTerminal();
  const { client, run, states, clock } = rig((end) => {
    attempts += 1;
    if (attempts === 1) {
      answering({ type: 'error', code: 'ERR_READ_ONLY', message: 'view only' })(end);
    } else terminal.serve(end);
  });
  client.start();
  await run();
  clock.advance(1_000);
  await run();
  assert.equal(states.at(-1)?.type, 'attached');
  const attach = terminal.frames[0];
  assert.equal(attach?.type === 'attach' ? attach.wantsType : undefined, false);
});

for (const code of ['ERR_TERMINAL_NOT_FOUND', 'ERR_FORBIDDEN', 'ERR_TERMINAL_LIMIT'] as const) {
  test(`terminal client - ${code} is final`, async () => {
    const { client, run, states, clock } = rig(answering({ type: 'error', code, message: 'no' }));
    client.start();
    await run();
    assert.deepEqual(states.at(-1), { type: 'failed', error: { code, message: 'no' } });
    assert.equal(clock.pending, 0);
    await run();
    await client.close();
  });
}

test('terminal client - a lost worker is tried again, with growing waits', async () => {
  const { client, run, states, clock, labels } = rig((end) => {
    answering({ type: 'error', code: 'ERR_WORKER_LOST', message: 'gone' })(end);
  });
  client.start();
  const delays: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    await run();
    const state = states.at(-1);
    assert.equal(state?.type, 'reconnecting');
    delays.push(state.delayMs);
    clock.advance(state.delayMs);
  }
  await run();
  assert.equal(labels.length, 5);
  assert.deepEqual(delays, [50, 75, 150, 300]);
});

test('terminal client - an attach without answer is given up', async () => {
  const { client, run, states, clock } = rig((end) => {
    answering()(end);
  });
  client.start();
  await run();
  clock.advance(limits.TERMINAL_ATTACH_MS);
  const state = states.at(-1);
  assert.equal(state?.type === 'reconnecting' ? state.error.code : undefined, 'ERR_PEER_TIMEOUT');
});

test('terminal client - openChannel may fail for now or for good', async () => {
  const codes = ['ERR_PEER_LOST', 'ERR_PEER_AUTH'] as const;
  let attempt = 0;
  const { client, run, states, clock } = rig(() => undefined, {
    openChannel: () => {
      const code = codes[attempt] ?? 'ERR_INTERNAL';
      attempt += 1;
      return Promise.reject(new HoldfastError(code, 'no'));
    },
  });
  client.start();
  await run();
  clock.advance(1_000);
  await run();
  assert.deepEqual(
    states.map((state) => ('error' in state ? `${state.type} ${state.error.code}` : state.type)),
    ['connecting', 'reconnecting ERR_PEER_LOST', 'failed ERR_PEER_AUTH'],
  );
});

const contradictions: [string, AgentFrame[]][] = [
  ['a jump without a gap', [ATTACHED, output(0, 'abc'), output(4, 'e')]],
  ['output before attached', [output(0, 'abc')]],
  ['attached twice', [ATTACHED, ATTACHED]],
  ['an acknowledgement of input never sent', [ATTACHED, { type: 'inputAck', seq: 9, window: 1 }]],
  ['a gap that leaves a hole before it', [ATTACHED, { type: 'gap', from: 5, to: 9 }]],
  [
    'output of another length than stated',
    [
      ATTACHED,
      {
        type: 'output',
        replay: false,
        quiet: false,
        offset: 0,
        nextOffset: 9,
        bytes: Buffer.from('a'),
      },
    ],
  ],
];
for (const [what, frames] of contradictions) {
  test(`terminal client - ${what} is ERR_PROTOCOL and final`, async () => {
    const { client, run, states, channel } = rig(answering(...frames));
    client.start();
    await run();
    const state = states.at(-1);
    assert.equal(state?.type === 'failed' ? state.error.code : state?.type, 'ERR_PROTOCOL');
    assert.equal(channel().ended, true);
  });
}

test('terminal client - another version of the protocol is final', async () => {
  const { client, run, states } = rig(answering({ ...ATTACHED, version: 2 }));
  client.start();
  await run();
  const state = states.at(-1);
  assert.equal(state?.type === 'failed' ? state.error.code : '', 'ERR_PROTOCOL_VERSION');
});

test('terminal client - garbage ends it without an exception', async () => {
  const { client, run, states } = rig((channel) => {
    channel.start({
      message: () => {
        channel.send(new Uint8Array([0xff, 1, 2]));
      },
      credit: () => undefined,
      end: () => {
        channel.close();
      },
    });
  });
  client.start();
  await run();
  const state = states.at(-1);
  assert.equal(state?.type === 'failed' ? state.error.code : '', 'ERR_FRAME');
});

test('terminal client - events come in the order of the log', async () => {
  const { client, run, events, screens } = rig(
    answering(
      ATTACHED,
      output(0, 'ab'),
      { type: 'size', offset: 2, size: { rows: 5, cols: 6 } },
      { type: 'title', title: 'vim' },
      { type: 'presence', json: '{"viewers":2,"names":[]}' },
      { type: 'gap', from: 2, to: 10 },
      {
        type: 'snapshot',
        continues: false,
        offset: 10,
        size: { rows: 5, cols: 6 },
        bytes: Buffer.from('S'),
      },
      output(10, 'cd'),
      { type: 'exit', exit: { kind: 'status', status: 3 }, totalBytes: 12 },
    ),
  );
  client.start();
  await run();
  assert.deepEqual(screens, ['ab[2-10]cd']);
  assert.deepEqual(events, [
    'size 24x80',
    'size 5x6',
    'title vim',
    'presence 2',
    'snapshot 10 S',
    'exit status 12',
  ]);
});

test('terminal client - after the exit there is no further attempt', async () => {
  const terminal = new ScriptedTerminal();
  const { client, run, states, clock, labels, screens } = rig((end) => {
    terminal.serve(end);
  });
  client.start();
  await run();
  terminal.write('bye');
  terminal.exit({ kind: 'status', status: 7 });
  await run();
  assert.deepEqual(states.at(-1), { type: 'exited', exit: { kind: 'status', status: 7 } });
  assert.deepEqual(screens, ['bye']);
  assert.equal(clock.pending, 0);
  clock.advance(100_000);
  await run();
  assert.equal(labels.length, 1);
  assert.equal(client.input(Buffer.from('x')), false);
  await client.close();
});

test('terminal client - a consumer that stops processing is sent at most a window', async () => {
  const terminal = new ScriptedTerminal();
  terminal.frameBytes = 64;
  const result = rig((end) => terminal.serve(end), { window: 1_000, process: false });
  const { client, run, clock, screens, channel } = result;
  client.start();
  terminal.write('z'.repeat(5_000));
  await run();
  assert.equal(result.unprocessed, 1_000);
  // A link that keeps dropping must not add a window each time.
  for (let round = 0; round < 3; round += 1) {
    channel().break();
    clock.advance(5_000);
    await run();
  }
  assert.equal(result.unprocessed, 1_000);
  for (let round = 0; round < 20; round += 1) {
    const count = result.unprocessed;
    result.unprocessed = 0;
    client.processed(count);
    await run();
  }
  assert.equal(screens[0]?.length, 5_000);
  assert.deepEqual(terminal.faults, []);
});

test('terminal client - small progress is acknowledged after a moment', async () => {
  const terminal = new ScriptedTerminal();
  const { client, run, clock } = rig((end) => {
    terminal.serve(end);
  });
  client.start();
  await run();
  terminal.write('abc');
  await run();
  const acks = (): number => terminal.frames.filter(({ type }) => type === 'ack').length;
  assert.equal(acks(), 0);
  clock.advance(limits.TERMINAL_ACK_MS);
  await run();
  assert.equal(acks(), 1);
});

test('terminal client - size and settings go with attach and while attached', async () => {
  const terminal = new ScriptedTerminal();
  const { client, run, clock, channel } = rig((end) => terminal.serve(end), {
    settings: { pace: 'slowest' },
  });
  client.start();
  await run();
  client.resize({ rows: 50, cols: 100 });
  client.configure({ sizePolicy: 'fixed' });
  await run();
  channel().break();
  clock.advance(1_000);
  await run();
  const seen = terminal.frames.map((frame) => {
    if (frame.type === 'attach') {
      return `attach ${String(frame.size.rows)} ${frame.settings.pace ?? '-'}`;
    }
    return frame.type;
  });
  assert.deepEqual(seen, ['attach 24 slowest', 'resize', 'configure', 'attach 50 -']);
});

test('terminal client - retryNow does not wait', async () => {
  const terminal = new ScriptedTerminal();
  const { client, run, channel, states } = rig((end) => {
    terminal.serve(end);
  });
  client.start();
  await run();
  channel().break();
  client.retryNow();
  await run();
  assert.equal(states.at(-1)?.type, 'attached');
});

test('terminal client - close detaches, and a channel that opens later is closed', async () => {
  const [ours, theirs] = memoryChannels();
  let open!: (channel: ByteChannel) => void;
  const { client, states, clock } = rig(() => undefined, {
    openChannel: () =>
      new Promise<ByteChannel>((resolve) => {
        open = resolve;
      }),
  });
  client.start();
  await client.close();
  open(ours);
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(states.at(-1)?.type, 'closed');
  assert.equal(theirs.waiting, 1);
  assert.equal(clock.pending, 0);
  await client.close();
});

type Step =
  | {
      readonly do: 'write' | 'type' | 'toClient' | 'toAgent' | 'process' | 'evict';
      readonly n: number;
    }
  | { readonly do: 'drop' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('write', 'type', 'toClient', 'toAgent', 'process' as const),
    n: fc.integer({ min: 1, max: 40 }),
  }),
  fc.constant<Step>({ do: 'drop' }),
  fc.record({ do: fc.constant('evict' as const), n: fc.integer({ min: 0, max: 60 }) }),
);

test(`terminal client - any drops: output equals the log but for stated gaps, input comes once (seed ${String(seed)})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const terminal = new ScriptedTerminal();
      terminal.inputWindow = 25;
      const result = rig((end) => terminal.serve(end), { window: 100, process: false });
      const { client, clock, channel, run, screens, errors } = result;
      client.start();
      await run();
      let typed = '';
      let written = '';
      const process = (count: number): void => {
        const part = Math.min(count, result.unprocessed);
        result.unprocessed -= part;
        client.processed(part);
      };
      for (const action of steps) {
        switch (action.do) {
          case 'write': {
            const text = `<${String(written.length)}>`.padEnd(action.n, '.').slice(0, action.n);
            written += text;
            terminal.write(text);
            break;
          }
          case 'type': {
            const text = `{${String(typed.length)}}`.padEnd(action.n, '-').slice(0, action.n);
            typed += text;
            assert.equal(client.input(Buffer.from(text)), true);
            break;
          }
          case 'toClient':
            channel().deliver(action.n);
            break;
          case 'toAgent':
            channel().peer.deliver(action.n);
            break;
          case 'process':
            process(action.n);
            break;
          case 'evict':
            terminal.evict(action.n);
            break;
          case 'drop':
            channel().break();
            clock.advance(1_000);
            await Promise.resolve();
            await Promise.resolve();
            break;
        }
      }
      for (let round = 0; round < 200; round += 1) {
        await run();
        process(result.unprocessed);
        clock.advance(limits.TERMINAL_ACK_MS);
      }
      assert.deepEqual(terminal.faults, []);
      assert.deepEqual(errors, []);
      assert.equal(terminal.typed, typed);
      assert.equal(screens.length, 1);
      const shown = (screens[0] ?? '').replace(/\[(\d+)-(\d+)\]/g, (_, from: string, to: string) =>
        written.slice(Number(from), Number(to)),
      );
      assert.equal(shown, written);
    }),
    { seed, numRuns: 300 },
  );
});
