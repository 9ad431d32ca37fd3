/** Program: times attaches to terminals, frame by frame. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { AgentConnection } from '../../src/main/client/connection/index.js';
import {
  decodeAgentFrame,
  encodeClientFrame,
  formatTerminalLabel,
  TERMINAL_PROTOCOL_VERSION,
} from '../../src/shared/common/wire/index.js';
import { limits, type ByteChannel, type TerminalId } from '../../src/shared/common/index.js';
import { serveProgram } from '../harness/index.js';
import { openAgent, type AgentPath } from './agent-path.js';

export interface AttachResult {
  /** From the opening of the channel to the `attached` frame, in ms. */
  readonly attachedMs: number;
  /** To the last byte of the replay, in ms. */
  readonly replayedMs: number;
  readonly replayBytes: number;
}

const SIZE = { rows: 24, cols: 80 };
/** Kept open, so that the terminals are attached while memory is read. */
const held: ByteChannel[] = [];
let connection: AgentConnection | undefined;

const methods = {
  connect: async (path: AgentPath) => {
    connection = await openAgent(path);
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
      const begin = performance.now();
      const { attachedMs } = await attach(
        requireConnection(),
        randomUUID() as TerminalId,
        begin,
        true,
      );
      times.push(attachedMs);
    }
    return times;
  },

  close: async (_: object) => {
    for (const channel of held.splice(0)) channel.close();
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

function start(channel: ByteChannel, onFrame: (frame: Frame) => void, onEnd?: () => void): void {
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
    end: () => onEnd?.(),
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
    let from = 0;
    let until = 0;
    start(
      channel,
      (frame) => {
        const now = performance.now() - begin;
        if (frame.type === 'error') reject(new Error(frame.message));
        if (frame.type === 'attached') {
          attachedMs = now;
          from = frame.offset;
          until = frame.head;
          if (until === from) resolve({ attachedMs, replayedMs: now, replayBytes: 0 });
        }
        if (frame.type === 'output' && frame.nextOffset >= until) {
          resolve({ attachedMs, replayedMs: now, replayBytes: until - from });
        }
      },
      () => {
        reject(new Error('the channel ended'));
      },
    );
  });
  if (hold) held.push(channel);
  else channel.close();
  return result;
}

function requireConnection(): AgentConnection {
  if (connection === undefined) throw new Error('not connected');
  return connection;
}
