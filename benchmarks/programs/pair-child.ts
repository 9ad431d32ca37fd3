/** Program: one end of a WebRTC connection with two channels, one for bulk and one whose messages are echoed. */
import { serveProgram } from '../harness/index.js';
import { EchoTimer } from './echo-timer.js';
import { measureBulk, type BulkParams, type BulkResult } from './measure-bulk.js';
import {
  MESSAGE_BYTES,
  pairMaker,
  type Description,
  type PairChannels,
  type PairEnd,
  type PairKind,
} from './pairs/index.js';

let end: PairEnd | undefined;
let channels: PairChannels | undefined;
let received = 0;
let isSending = false;

const methods = {
  offer: async ({ kind }: { readonly kind: PairKind }): Promise<Description> => {
    end = await pairMaker(kind).offer();
    return end.description;
  },

  answer: async ({
    kind,
    offer,
  }: {
    readonly kind: PairKind;
    readonly offer: Description;
  }): Promise<Description> => {
    end = await pairMaker(kind).answer(offer);
    return end.description;
  },

  /** Gives candidates that the other end is to be told of. */
  accept: async (answer: Description): Promise<readonly string[]> =>
    (await end?.accept(answer)) ?? [],

  addCandidates: async ({ candidates }: { readonly candidates: readonly string[] }) => {
    await end?.addCandidates(candidates);
  },

  /** Resolves when both channels are open. `echoes`: sends back what comes on the one. */
  ready: async ({ echoes }: { readonly echoes: boolean }) => {
    const open = (channels = await end?.channels);
    open?.bulk.onMessage((bytes) => {
      received += bytes.length;
    });
    if (echoes) {
      open?.echo.onMessage((bytes) => {
        open.echo.send(bytes);
      });
    }
  },

  /** Sends as much as it may until {@link methods.stopSending}. */
  startSending: async (_: object) => {
    const { bulk } = requireChannels();
    const message = new Uint8Array(MESSAGE_BYTES).fill(0x61);
    isSending = true;
    const send = (): void => {
      while (isSending && bulk.isWritable()) bulk.send(message);
    };
    bulk.onWritable(send);
    send();
  },

  stopSending: async (_: object) => {
    isSending = false;
  },

  /** Counts what comes for a while, from now on, and types meanwhile. */
  receive: async (params: BulkParams): Promise<BulkResult> =>
    await measureBulk(
      params,
      () => received,
      (keys, intervalMs) => echo(keys, intervalMs, 'count'),
    ),

  /** Latencies in ms of one key per interval. */
  echo: async ({ keys, intervalMs }: { readonly keys: number; readonly intervalMs: number }) =>
    await echo(keys, intervalMs, 'fail'),

  close: async (_: object) => {
    isSending = false;
    await end?.close();
    end = undefined;
    channels = undefined;
  },
};

export type PairMethods = typeof methods;

serveProgram(methods, async () => {
  await methods.close({});
});

async function echo(
  keys: number,
  intervalMs: number,
  lost: 'fail' | 'count',
): Promise<readonly number[]> {
  const channel = requireChannels().echo;
  const timer = new EchoTimer(keys, intervalMs, (text) => {
    channel.send(Buffer.from(text));
  });
  channel.onMessage((bytes) => {
    timer.data(bytes);
  });
  return await timer.run({ lost });
}

function requireChannels(): PairChannels {
  if (channels === undefined) throw new Error('not connected');
  return channels;
}
