import type { MessagePort } from 'node:worker_threads';
import type { ByteChannel, ByteChannelHandlers, OwnedBytes } from '../../shared/common/index.js';
import { decodeClientFrame } from '../../shared/common/wire/index.js';
import type { ChannelPortMessage } from '../../shared/node/ports/index.js';

/**
 * Waits for the first message on the port of a channel and leaves the port as it was: it can be served
 * here or transferred on, and the other end notices nothing. The message is not credited.
 * @returns Ends the wait; the port stays as it is.
 */
export function awaitFirstFrame(
  port: MessagePort,
  { first, end }: { first(bytes: Uint8Array): void; end(): void },
): () => void {
  const stop = (): void => {
    port.off('message', receive);
    port.off('close', closed);
  };
  const closed = (): void => {
    stop();
    end();
  };
  const receive = (message: ChannelPortMessage): void => {
    if (message instanceof Uint8Array) {
      stop();
      first(message);
      return;
    }
    // Nothing was sent to it yet, so there is no credit to give back.
    if (message.type === 'credit') return;
    stop();
    port.close();
    end();
  };
  port.on('message', receive);
  port.on('close', closed);
  return stop;
}

/** `channel`, on which `first` was received already. */
export function withFirstFrame(channel: ByteChannel, first: Uint8Array): ByteChannel {
  return {
    get credit() {
      return channel.credit;
    },
    start(handlers: ByteChannelHandlers) {
      channel.start(handlers);
      handlers.message(first);
    },
    send: (bytes: OwnedBytes) => {
      channel.send(bytes);
    },
    consumed: (bytes) => {
      channel.consumed(bytes);
    },
    close: (error) => {
      channel.close(error);
    },
  };
}

/** Whether this first frame of a viewer asks for a terminal to type in, whichever it is. */
export function wantsAnyTerminal(bytes: Uint8Array): boolean {
  try {
    const frame = decodeClientFrame(bytes);
    return frame.type === 'attach' && frame.wantsType && frame.epoch === undefined;
  } catch {
    // Whoever serves it says what is wrong with it.
    return false;
  }
}
