import { HoldfastError, limits, type OwnedBytes } from '../../../shared/common/index.js';
import {
  recordingAckSchema,
  type RecordingAnswer,
  type RecordingInfo,
} from '../../../shared/common/wire/index.js';
import { PortChannel, type PortHandle } from '../../../shared/node/ports/index.js';
import type { OpenPart } from './folder.js';

export interface UploadOptions {
  readonly channel: PortChannel;
  readonly file: OpenPart;
  /** First byte to send. */
  readonly offset: number;
  readonly recording: RecordingInfo;
}

/** A channel that waits to hear what becomes of it. */
export interface WaitingChannel {
  readonly channel: PortChannel;
  /** Sends a file over it; takes the file over. Resolves when it has been sent, or nobody wants it. */
  send(file: OpenPart, offset: number, recording: RecordingInfo): Promise<void>;
  refuse(error: HoldfastError): void;
}

/**
 * Takes the port of a `recording` channel. A file goes out in pieces, never more than a window beyond
 * what the client has said it dealt with.
 */
export function receiveChannel(handle: PortHandle): WaitingChannel {
  const channel = new PortChannel(handle);
  let acknowledged = 0;
  let isOpen = true;
  let wake = (): void => undefined;
  const end = (error?: HoldfastError): void => {
    isOpen = false;
    channel.close(error === undefined ? undefined : { code: error.code, message: error.message });
    wake();
  };
  channel.start({
    message: (bytes) => {
      channel.consumed(bytes.byteLength);
      const offset = readAck(bytes);
      if (offset === undefined) {
        end(new HoldfastError('ERR_PROTOCOL', 'not an acknowledgement'));
        return;
      }
      acknowledged = Math.max(acknowledged, offset);
      wake();
    },
    credit: () => {
      wake();
    },
    end: () => {
      end();
    },
  });
  const say = (answer: RecordingAnswer): void => {
    channel.send(new TextEncoder().encode(JSON.stringify(answer)));
  };
  return {
    channel,
    send: async ({ handle: file, bytes }, offset, recording) => {
      try {
        say({ type: 'begin', bytes, recording });
        acknowledged = Math.max(acknowledged, offset);
        let at = offset;
        while (isOpen && at < bytes) {
          const room = Math.min(channel.credit, acknowledged + limits.RECORDING_WINDOW_BYTES - at);
          if (room <= 0) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
            continue;
          }
          const length = Math.min(room, limits.CHANNEL_MESSAGE_BYTES, bytes - at);
          const piece: OwnedBytes = new Uint8Array(length);
          const { bytesRead } = await file.read(piece, 0, length, at);
          // It was cut short meanwhile, as a recording is that ends on a full disk.
          if (bytesRead === 0) break;
          channel.send(bytesRead === length ? piece : piece.slice(0, bytesRead));
          at += bytesRead;
        }
      } finally {
        end();
        await file.close();
      }
    },
    refuse: (error) => {
      say({ type: 'error', code: error.code, message: error.message });
      end(error);
    },
  };
}

function readAck(bytes: Uint8Array): number | undefined {
  try {
    return recordingAckSchema.parse(JSON.parse(Buffer.from(bytes).toString())).offset;
  } catch {
    return undefined;
  }
}
