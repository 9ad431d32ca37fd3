import type { Client, ClientChannel } from 'ssh2';
import {
  MESSAGE,
  PayloadWriter,
  sendPayload,
  type Ssh2Protocol,
} from '../../src/main/agent/ssh/internals.js';

/** The inner parts of ssh2's client that a request of one's own needs. */
interface InnerChannel {
  readonly outgoing: { readonly id: number };
  readonly _callbacks: ((failed: boolean | Error | undefined) => void)[];
}

/**
 * Sends a request on a channel that ssh2's client has no function for, and waits for the answer.
 * @returns whether it was granted.
 */
export function requestOn(
  client: Client,
  channel: ClientChannel,
  type: string,
  data: Uint8Array,
): Promise<boolean> {
  const { _protocol } = client as unknown as { readonly _protocol: Ssh2Protocol };
  const inner = channel as unknown as InnerChannel;
  return new Promise((resolve) => {
    inner._callbacks.push((failed) => {
      resolve(failed === undefined || failed === false);
    });
    const head = new PayloadWriter()
      .byte(MESSAGE.CHANNEL_REQUEST)
      .uint32(inner.outgoing.id)
      .string(type)
      .boolean(true)
      .finish();
    sendPayload(_protocol, Buffer.concat([head, data]));
  });
}
