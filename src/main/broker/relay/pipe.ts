import type { WebSocket } from 'ws';
import { limits, systemClock, type Clock, type Timer } from '../../../shared/common/index.js';

const NORMAL = 1000;
const ENDED_BADLY = 1011;

/** What went through a relay, for metrics. */
export interface PipeTotals {
  readonly bytes: number;
  /** Most that ever waited for one side. */
  readonly mostQueued: number;
}

interface Side {
  readonly socket: WebSocket;
  /** Given to the socket and not yet taken by the kernel. */
  queued: number;
  paused: boolean;
  /** When it last sent anything or took something that was sent to it. */
  alive: number;
}

/**
 * Passes messages between two WebSockets, unread. A side that does not take what is sent to it stops the
 * reading of the other, so at most RELAY_QUEUE_BYTES and one read wait in here. Both end together, a
 * side that closed properly after the other got everything.
 */
export function pipe(
  a: WebSocket,
  b: WebSocket,
  onEnd: (totals: PipeTotals) => void,
  clock: Clock = systemClock,
): void {
  let bytes = 0;
  let mostQueued = 0;
  let open = 2;
  let timer: Timer | undefined;
  const sides: readonly [Side, Side] = [
    { socket: a, queued: 0, paused: false, alive: clock.now() },
    { socket: b, queued: 0, paused: false, alive: clock.now() },
  ];

  const forward = (from: Side, to: Side): void => {
    from.socket.on('message', (data: Buffer, binary: boolean) => {
      from.alive = clock.now();
      if (to.socket.readyState !== to.socket.OPEN) return;
      bytes += data.length;
      to.queued += data.length;
      mostQueued = Math.max(mostQueued, to.queued);
      to.socket.send(data, { binary }, () => {
        to.queued -= data.length;
        to.alive = clock.now();
        // Half way down, so that a slow side does not switch the other on and off for every message.
        if (from.paused && to.queued <= limits.RELAY_QUEUE_BYTES / 2) {
          from.paused = false;
          from.alive = clock.now();
          from.socket.resume();
        }
      });
      if (!from.paused && to.queued > limits.RELAY_QUEUE_BYTES) {
        from.paused = true;
        from.socket.pause();
      }
    });
    from.socket.on('pong', () => {
      from.alive = clock.now();
    });
    from.socket.on('error', () => undefined);
    from.socket.on('close', (code: number) => {
      open -= 1;
      to.socket.resume();
      to.socket.close(code === NORMAL || code === 1005 ? NORMAL : ENDED_BADLY);
      if (open === 0) {
        timer?.cancel();
        onEnd({ bytes, mostQueued });
      }
    });
  };

  /** A side that we do not read cannot answer a ping; it is judged by the other one's progress. */
  const check = (): void => {
    const now = clock.now();
    const dead = sides.some(
      (side) =>
        (side.queued > 0 && now - side.alive > limits.RELAY_STALL_MS) ||
        (side.queued === 0 && !side.paused && now - side.alive > 2 * limits.LINK_PING_MS),
    );
    if (dead) {
      for (const { socket } of sides) socket.terminate();
      return;
    }
    for (const { socket } of sides) if (socket.readyState === socket.OPEN) socket.ping();
    timer = clock.after(limits.LINK_PING_MS, check);
  };

  forward(sides[0], sides[1]);
  forward(sides[1], sides[0]);
  for (const { socket } of sides) socket.resume();
  timer = clock.after(limits.LINK_PING_MS, check);
}
