import type { ErrorRecord } from '../../../common/index.js';
import type { FramedChannel } from '../../../common/framing/index.js';

/** One data channel and how far its end has come. Forgotten when both directions are reset. */
export interface Stream {
  readonly channel: FramedChannel;
  /** Set once our direction is to be reset as soon as what was sent on it is acknowledged. */
  closing: { readonly error: ErrorRecord | undefined } | undefined;
  localReset: boolean;
  remoteReset: boolean;
  /** Code of the other end's close, which came over the link. */
  remoteError: ErrorRecord | undefined;
}

export function openStream(channel: FramedChannel): Stream {
  return {
    channel,
    closing: undefined,
    localReset: false,
    remoteReset: false,
    remoteError: undefined,
  };
}
