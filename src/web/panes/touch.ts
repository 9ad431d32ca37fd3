const SWIPE_PX = 70;
const SWIPE_MS = 600;
/** A finger that moved less has touched, and not dragged. */
const SLACK_PX = 8;
/** Share of its speed that a flick keeps from one frame to the next. */
const GLIDE = 0.94;
const SLOWEST_PX = 0.5;

export interface TouchOptions {
  /** The finger went from right to left (1) or from left to right (-1). */
  readonly swiped: (step: number) => void;
}

/**
 * Touch in a terminal: up and down scrolls as a wheel would, with a glide after a flick; left and right is
 * a swipe, unless the terminal is wider than its pane and has to be moved itself. Returns how to stop.
 */
export function handleTouch(host: HTMLElement, { swiped }: TouchOptions): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  let start: { readonly x: number; readonly y: number; readonly at: number } | undefined;
  let last = { y: 0, at: 0 };
  let speed = 0;
  let gliding = 0;

  /** To the emulator, which knows what a wheel means to the program: scrollback, arrows or a report. */
  const wheel = (deltaY: number, x: number, y: number): void => {
    const target = host.querySelector('.xterm-screen') ?? host;
    target.dispatchEvent(
      new WheelEvent('wheel', {
        deltaY,
        deltaMode: WheelEvent.DOM_DELTA_PIXEL,
        clientX: x,
        clientY: y,
        bubbles: true,
        cancelable: true,
      }),
    );
  };
  const glide = (x: number, y: number): void => {
    speed *= GLIDE;
    if (Math.abs(speed) < SLOWEST_PX) return;
    wheel(-speed, x, y);
    gliding = requestAnimationFrame(() => {
      glide(x, y);
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
      last = { y: start?.y ?? 0, at: event.timeStamp };
      speed = 0;
    },
    { signal, passive: true },
  );
  host.addEventListener(
    'touchmove',
    (event) => {
      const touch = event.touches[0];
      if (touch === undefined || start === undefined) return;
      const [dx, dy] = [touch.clientX - start.x, touch.clientY - start.y];
      if (Math.abs(dy) < SLACK_PX || Math.abs(dx) > Math.abs(dy)) return;
      // The page itself must not move with it, and must not be pulled down to reload.
      if (event.cancelable) event.preventDefault();
      const moved = touch.clientY - last.y;
      const ms = Math.max(1, event.timeStamp - last.at);
      speed = (moved / ms) * 16;
      last = { y: touch.clientY, at: event.timeStamp };
      wheel(-moved, touch.clientX, touch.clientY);
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
