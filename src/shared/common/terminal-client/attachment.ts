import type { ByteChannel, ChannelEnd } from '../byte-channel.js';
import type { Timer } from '../clock.js';
import type { ErrorRecord } from '../errors.js';

/** One attempt at being attached; frames of an older one are not listened to. */
export interface Attachment {
  readonly channel: ByteChannel;
  readonly wantsType: boolean;
  attached: boolean;
  mayType: boolean;
  /** Output that the agent may send up to, as it last heard. */
  announced: number;
  readonly timers: Set<Timer>;
  ackTimer: Timer | undefined;
}

/** An attempt over `channel`, before its first frame. */
export function newAttachment(channel: ByteChannel, wantsType: boolean): Attachment {
  return {
    channel,
    wantsType,
    attached: false,
    mayType: false,
    announced: 0,
    timers: new Set(),
    ackTimer: undefined,
  };
}

/** Why the channel of an attachment ended, as a person is told. */
export function endError(end: ChannelEnd): ErrorRecord {
  if (end.type === 'lost') return { code: 'ERR_PEER_LOST', message: 'the connection was lost' };
  return end.error ?? { code: 'ERR_CHANNEL_CLOSED', message: 'the agent closed the channel' };
}
