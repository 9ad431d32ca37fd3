import { deferred } from '../../../src/shared/common/index.js';
import {
  BULK,
  ECHO,
  HIGH_WATER_BYTES,
  type PairChannel,
  type PairChannels,
  type PairEnd,
  type PairMaker,
} from './types.js';

/** What is used of node-datachannel, which need not be installed. */
interface NativeChannel {
  getLabel(): string;
  isOpen(): boolean;
  sendMessageBinary(bytes: Uint8Array): boolean;
  bufferedAmount(): number;
  setBufferedAmountLowThreshold(bytes: number): void;
  onOpen(handler: () => void): void;
  onBufferedAmountLow(handler: () => void): void;
  onMessage(handler: (data: string | Buffer | ArrayBuffer) => void): void;
}
interface NativeConnection {
  close(): void;
  setRemoteDescription(sdp: string, type: 'offer' | 'answer'): void;
  addRemoteCandidate(candidate: string, mid: string): void;
  createDataChannel(label: string): NativeChannel;
  localDescription(): { readonly sdp: string } | null;
  onGatheringStateChange(handler: (state: string) => void): void;
  onDataChannel(handler: (channel: NativeChannel) => void): void;
}
interface NativeModule {
  readonly PeerConnection: new (name: string, config: object) => NativeConnection;
  cleanup(): void;
}

/** It reckons with headers of its own; this makes packets of just under 1,200 bytes. */
const MTU = 1_256;
/** Not known to the compiler, which would miss it where it is not installed. */
const PACKAGE: string = 'node-datachannel';

/** node-datachannel as it comes from the registry, within the same packet size as werift. */
export const bareNative: PairMaker = {
  offer: async () => {
    const { pc, gathered, native } = await createConnection();
    const channels = Promise.all([BULK, ECHO].map((label) => opened(pc.createDataChannel(label))));
    await gathered;
    return toEnd(
      native,
      pc,
      channels.then(([bulk, echo]) => ({ bulk: bulk!, echo: echo! })),
    );
  },
  answer: async (offer) => {
    const { pc, gathered, native } = await createConnection();
    const channels = deferred<PairChannels>();
    const found = new Map<string, PairChannel>();
    pc.onDataChannel((channel) => {
      found.set(channel.getLabel(), wrap(channel));
      const [bulk, echo] = [found.get(BULK), found.get(ECHO)];
      if (bulk !== undefined && echo !== undefined) channels.resolve({ bulk, echo });
    });
    pc.setRemoteDescription(offer.sdp, 'offer');
    addCandidates(pc, offer.candidates);
    await gathered;
    return toEnd(native, pc, channels.promise);
  },
};

async function createConnection(): Promise<{
  readonly native: NativeModule;
  readonly pc: NativeConnection;
  readonly gathered: Promise<void>;
}> {
  const native = (await import(PACKAGE)) as NativeModule;
  const pc = new native.PeerConnection('bench', { iceServers: [], mtu: MTU });
  const gathered = deferred<void>();
  pc.onGatheringStateChange((state) => {
    if (state === 'complete') gathered.resolve();
  });
  return { native, pc, gathered: gathered.promise };
}

function toEnd(
  native: NativeModule,
  pc: NativeConnection,
  channels: Promise<PairChannels>,
): PairEnd {
  return {
    description: { sdp: pc.localDescription()?.sdp ?? '', candidates: [] },
    accept: async (answer) => {
      pc.setRemoteDescription(answer.sdp, 'answer');
      addCandidates(pc, answer.candidates);
      return [];
    },
    addCandidates: async (candidates) => {
      addCandidates(pc, candidates);
    },
    channels,
    close: async () => {
      pc.close();
      native.cleanup();
    },
  };
}

function addCandidates(pc: NativeConnection, candidates: readonly string[]): void {
  for (const candidate of candidates) pc.addRemoteCandidate(candidate, '0');
}

async function opened(channel: NativeChannel): Promise<PairChannel> {
  if (!channel.isOpen()) {
    await new Promise<void>((resolve) => {
      channel.onOpen(resolve);
    });
  }
  return wrap(channel);
}

function wrap(channel: NativeChannel): PairChannel {
  channel.setBufferedAmountLowThreshold(HIGH_WATER_BYTES / 2);
  return {
    isWritable: () => channel.bufferedAmount() < HIGH_WATER_BYTES,
    send: (bytes) => {
      channel.sendMessageBinary(bytes);
    },
    onWritable: (handler) => {
      channel.onBufferedAmountLow(handler);
    },
    onMessage: (handler) => {
      channel.onMessage((data) => {
        if (typeof data === 'string') return;
        handler(data instanceof ArrayBuffer ? new Uint8Array(data) : data);
      });
    },
  };
}
