/** Program: times attaches to terminals, frame by frame. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { AgentConnection } from '../../src/main/client/connection/index.js';
import {
  decodeAgentFrame,
  encodeClientFrame,
  formatTerminalLabel,
  TERMINAL_PROTOCOL_VERSION,
} from '../../src/shared/common/wire/index.js';
import {
  limits,
  type ByteChannel,
  type ChannelEnd,
  type TerminalId,
} from '../../src/shared/common/index.js';
import { serveProgram } from '../harness/index.js';
import { openAgent, type AgentPath } from './agent-path.js';

export interface AttachResult {
  /** From the opening of the channel to the `attached` frame, in ms. */
  readonly attachedMs: number;
  /** To the last byte of the replay, in ms. */
  readonly replayedMs: number;
  /** Of output and of the snapshot before it. */
  readonly replayBytes: number;
  readonly snapshotBytes: number;
}

const SIZE = { rows: 24, cols: 80 };
/** An agent takes 256 of one connection. */
const CHANNELS = 200;
/** Kept open, so that the terminals are attached while memory is read. */
const held: ByteChannel[] = [];
/** Beyond the first, for more channels than one may have. */
const more: AgentConnection[] = [];
let way: AgentPath | undefined;
let connection: AgentConnection | undefined;

const methods = {
  connect: async (path: AgentPath) => {
    connection = await openAgent(path);
    way = path;
  },

  /** Opens so many further connections, which do nothing. */
  connectMore: async ({ count }: { readonly count: number }) => {
    for (let made = 0; made < count; made += 1) await another();
  },

  /** Makes a terminal that runs `command` and that nobody attaches to. */
  startTerminal: async ({
    id,
    command,
  }: {
    readonly id: string;
    readonly command: readonly string[];
  }) => {
    await requireConnection().create(id, { command: [...command], ...SIZE });
  },

  /** Ends a terminal. One that has ended by itself is no error. */
  kill: async ({ id }: { readonly id: string }) => {
    await requireConnection()
      .kill(id)
      .catch(() => undefined);
  },

  /**
   * Makes a terminal whose log is longer than its ring, and answers with its id. `producer` prints at least
   * `bytes`; absent: zeros.
   */
  fill: async ({
    bytes,
    producer = `head -c ${String(bytes)} /dev/zero`,
  }: {
    readonly bytes: number;
    readonly producer?: string;
  }): Promise<string> => {
    const id = randomUUID() as TerminalId;
    const channel = open(requireConnection(), id);
    let end: number | undefined;
    let head = 0;
    await new Promise<void>((resolve) => {
      let typed = false;
      start(channel, (frame) => {
        if (frame.type === 'attached' && !typed) {
          typed = true;
          const text = `stty raw -echo; ${producer}; exec cat\n`;
          channel.send(
            encodeClientFrame({ type: 'input', seq: frame.inputSeq, bytes: Buffer.from(text) }),
          );
        }
        if (frame.type === 'output') head = frame.nextOffset;
        if (frame.type === 'gap') head = frame.to;
        channel.send(encodeClientFrame({ type: 'ack', offset: head, window: WINDOW }));
        end ??= bytes;
        if (head >= end) resolve();
      });
    });
    channel.close();
    return id;
  },

  /** Attaches once; over a fresh connection if so asked, whose time is then part of it. */
  reattach: async ({
    id,
    path,
  }: {
    readonly id: string;
    readonly path?: AgentPath;
  }): Promise<AttachResult> => {
    const begin = performance.now();
    const fresh = path === undefined ? undefined : await openAgent(path);
    const result = await attach(fresh ?? requireConnection(), id as TerminalId, begin, false);
    await fresh?.close();
    return result;
  },

  /** Makes `count` terminals one after the other and stays attached. Times in ms. */
  create: async ({ count }: { readonly count: number }): Promise<readonly number[]> => {
    const times: number[] = [];
    for (let index = 0; index < count; index += 1) {
      const to = await withRoom();
      const begin = performance.now();
      const { attachedMs } = await attach(to, randomUUID() as TerminalId, begin, true);
      times.push(attachedMs);
    }
    return times;
  },

  /** Attaches so many viewers to one terminal, which stay. */
  view: async ({ id, count }: { readonly id: string; readonly count: number }) => {
    for (let made = 0; made < count; made += 1) {
      await attach(await withRoom(), id as TerminalId, performance.now(), true);
    }
  },

  /** Detaches all that stayed; their terminals live on. */
  detach: async (_: object) => {
    for (const channel of held.splice(0)) channel.close();
  },

  close: async (_: object) => {
    await methods.detach({});
    await Promise.all(more.splice(0).map((each) => each.close()));
    await connection?.close();
    connection = undefined;
  },
};

export type AttachMethods = typeof methods;

serveProgram(methods, async () => {
  await methods.close({});
});

/** More than any ring holds, so that only the agent's own bound on what is under way matters. */
const WINDOW = limits.RING_MAX_BYTES;

type Frame = ReturnType<typeof decodeAgentFrame>;

function open(to: AgentConnection, id: TerminalId): ByteChannel {
  return to.openChannel({
    label: formatTerminalLabel({ id, ...SIZE }),
    protocol: 'terminal',
  });
}

function start(
  channel: ByteChannel,
  onFrame: (frame: Frame) => void,
  onEnd?: (end: ChannelEnd) => void,
): void {
  channel.start({
    message: (bytes) => {
      channel.consumed(bytes.length);
      const frame = decodeAgentFrame(bytes);
      if (frame.type === 'output') {
        channel.send(encodeClientFrame({ type: 'ack', offset: frame.nextOffset, window: WINDOW }));
      }
      onFrame(frame);
    },
    credit: () => undefined,
    end: (end) => onEnd?.(end),
  });
  channel.send(
    encodeClientFrame({
      type: 'attach',
      version: TERMINAL_PROTOCOL_VERSION,
      wantsType: true,
      epoch: undefined,
      offset: undefined,
      size: SIZE,
      window: WINDOW,
      clientId: randomBytes(16),
      settings: {},
    }),
  );
}

async function attach(
  to: AgentConnection,
  id: TerminalId,
  begin: number,
  hold: boolean,
): Promise<AttachResult> {
  const channel = open(to, id);
  const result = await new Promise<AttachResult>((resolve, reject) => {
    let attachedMs = 0;
    let outputBytes = 0;
    let snapshotBytes = 0;
    let until = Infinity;
    const done = (): void => {
      const replayBytes = outputBytes + snapshotBytes;
      resolve({ attachedMs, replayedMs: performance.now() - begin, replayBytes, snapshotBytes });
    };
    start(
      channel,
      (frame) => {
        switch (frame.type) {
          case 'error':
            reject(new Error(frame.message));
            return;
          case 'attached':
            attachedMs = performance.now() - begin;
            until = frame.head;
            if (until === frame.offset) done();
            return;
          case 'snapshot':
            snapshotBytes += frame.bytes.length;
            return;
          case 'output':
            outputBytes += frame.bytes.length;
            if (frame.nextOffset >= until) done();
            return;
          default:
            return;
        }
      },
      (end) => {
        const reason = end.type === 'closed' ? end.error?.message : 'the other side vanished';
        reject(new Error(`the channel ended: ${reason ?? 'no reason was told'}`));
      },
    );
  });
  if (hold) held.push(channel);
  else channel.close();
  return result;
}

/** A connection that may have one more channel. */
async function withRoom(): Promise<AgentConnection> {
  const index = Math.floor(held.length / CHANNELS);
  if (index === 0) return requireConnection();
  return more[index - 1] ?? (await another());
}

async function another(): Promise<AgentConnection> {
  if (way === undefined) throw new Error('not connected');
  const made = await openAgent(way);
  more.push(made);
  return made;
}

function requireConnection(): AgentConnection {
  if (connection === undefined) throw new Error('not connected');
  return connection;
}
