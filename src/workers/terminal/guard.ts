import type {
  ByteChannel,
  ByteChannelHandlers,
  Clock,
  OwnedBytes,
} from '../../shared/common/index.js';

/** Runs a callback of one terminal; what it throws is that terminal's failure and nobody else's. */
export type Guard = (callback: () => void) => void;

/** A clock whose timers run under `guard`. */
export function guardedClock(clock: Clock, guard: Guard): Clock {
  return {
    now: () => clock.now(),
    after: (ms, callback) =>
      clock.after(ms, () => {
        guard(callback);
      }),
  };
}

/** `channel` with its handlers run under `guard`. */
export function guardedChannel(channel: ByteChannel, guard: Guard): ByteChannel {
  return {
    get credit() {
      return channel.credit;
    },
    start(handlers: ByteChannelHandlers) {
      channel.start({
        message: (bytes) => {
          guard(() => {
            handlers.message(bytes);
          });
        },
        credit: () => {
          guard(() => {
            handlers.credit();
          });
        },
        end: (end) => {
          guard(() => {
            handlers.end(end);
          });
        },
      });
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
