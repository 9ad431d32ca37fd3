import type { Terminal } from '@xterm/xterm';

const SWIPE_PX = 70;
const SWIPE_MS = 600;
/** A finger that moved less has touched, and not dragged. */
const SLACK_PX = 8;
/** Share of its speed that a flick keeps from one frame to the next. */
const GLIDE = 0.94;
const SLOWEST_PX = 0.5;
const FRAME_MS = 16;

export interface TouchOptions {
  readonly terminal: Terminal;
  /** The finger went from right to left (1) or from left to right (-1). */
  readonly swiped: (step: number) => void;
}

/**
 * Touch in a terminal: up and down scrolls as a wheel would, with a glide after a flick; left and right is
 * a swipe, unless the terminal is wider than its pane and has to be moved itself. Returns how to stop.
 */
export function handleTouch(host: HTMLElement, { terminal, swiped }: TouchOptions): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  let start: { readonly x: number; readonly y: number; readonly at: number } | undefined;
  let last = { x: 0, y: 0, at: 0 };
  let speed = 0;
  let gliding = 0;

  /** What is left of a line when the finger has moved whole ones. */
  let rest = 0;

  /** The history follows the finger; a program that has the whole screen, or the mouse, gets a wheel. */
  const scroll = (pixels: number, x: number, y: number): void => {
    const screen = host.querySelector('.xterm-screen') ?? host;
    const line = screen.clientHeight / terminal.rows;
    if (terminal.buffer.active.type === 'normal' && terminal.modes.mouseTrackingMode === 'none') {
      rest += pixels;
      const lines = Math.trunc(rest / line);
      rest -= lines * line;
      terminal.scrollLines(lines);
      return;
    }
    screen.dispatchEvent(
      new WheelEvent('wheel', {
        deltaY: pixels,
        deltaMode: WheelEvent.DOM_DELTA_PIXEL,
        clientX: x,
        clientY: y,
        bubbles: true,
        cancelable: true,
      }),
    );
  };
  /** Goes on for a while, in what was flicked and not in what a program shows in its place. */
  const glide = (x: number, y: number, screen = terminal.buffer.active): void => {
    speed *= GLIDE;
    if (Math.abs(speed) < SLOWEST_PX || terminal.buffer.active !== screen) return;
    scroll(-speed, x, y);
    gliding = requestAnimationFrame(() => {
      glide(x, y, screen);
    });
  };

  host.addEventListener(
    'touchstart',
    (event) => {
      cancelAnimationFrame(gliding);
      const touch = event.touches[0];
      start =
        touch === undefined || event.touches.length > 1
          ? undefined
          : { x: touch.clientX, y: touch.clientY, at: event.timeStamp };
      last = { x: start?.x ?? 0, y: start?.y ?? 0, at: event.timeStamp };
      speed = 0;
      rest = 0;
    },
    { signal, passive: true },
  );
  host.addEventListener(
    'touchmove',
    (event) => {
      const touch = event.touches[0];
      if (touch === undefined || start === undefined) return;
      const [dx, dy] = [touch.clientX - start.x, touch.clientY - start.y];
      if (Math.max(Math.abs(dx), Math.abs(dy)) < SLACK_PX) return;
      // The page itself must not move with it, and must not be pulled down to reload.
      if (event.cancelable) event.preventDefault();
      const moved = { x: touch.clientX - last.x, y: touch.clientY - last.y };
      const ms = Math.max(1, event.timeStamp - last.at);
      last = { x: touch.clientX, y: touch.clientY, at: event.timeStamp };
      // What is larger than its pane is moved in it first.
      const top = host.scrollTop;
      host.scrollBy(-moved.x, -moved.y);
      if (host.scrollTop !== top || Math.abs(dx) > Math.abs(dy)) return;
      speed = (moved.y / ms) * FRAME_MS;
      scroll(-moved.y, touch.clientX, touch.clientY);
    },
    { signal, passive: false },
  );
  host.addEventListener(
    'touchend',
    (event) => {
      const touch = event.changedTouches[0];
      if (touch === undefined || start === undefined) return;
      const [dx, dy] = [touch.clientX - start.x, touch.clientY - start.y];
      const isWider = host.scrollWidth > host.clientWidth + 1;
      if (
        Math.abs(dx) > SWIPE_PX &&
        Math.abs(dx) > 2 * Math.abs(dy) &&
        event.timeStamp - start.at < SWIPE_MS &&
        !isWider
      ) {
        swiped(dx < 0 ? 1 : -1);
      } else if (Math.abs(dy) >= SLACK_PX && event.timeStamp - last.at < 50) {
        glide(touch.clientX, touch.clientY);
      }
      start = undefined;
    },
    { signal, passive: true },
  );
  return () => {
    cancelAnimationFrame(gliding);
    abort.abort();
  };
}
