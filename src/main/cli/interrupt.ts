import type { Closable } from '../../shared/common/index.js';

const STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGPIPE: 141 } as const;
/** Those that the process is sent. Node is told of a reader that went away by an error, not by the signal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Interruption = keyof typeof STATUS;

const running = new Set<(by: Interruption) => void>();

/** Interrupts what runs as if `by` had been sent, and ends the process then. False: nothing runs that must end. */
export function interrupt(by: Interruption): boolean {
  for (const end of running) end(by);
  return running.size > 0;
}

/** How long the other end gets to hear that we are going. */
const GOODBYE_MS = 500;

/**
 * Runs `work` so that a signal aborts it, closes what it has opened, and ends the process with the
 * status a shell shows for that signal. Without it the agent would only notice a vanished client
 * after two missed heartbeats.
 */
export async function interruptible<T>(
  work: (context: {
    readonly signal: AbortSignal;
    /** Has `resource` closed at the end, however the work ends. */
    readonly use: <R extends Closable>(resource: R) => R;
  }) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const resources: Closable[] = [];
  const closeAll = async (): Promise<void> => {
    const closing = resources.reverse().map((resource) => resource.close().catch(() => undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, GOODBYE_MS);
    });
    await Promise.race([Promise.all(closing), late]);
    clearTimeout(timer);
  };
  const end = (by: Interruption): void => {
    // A reader that went away is told of with every write.
    if (controller.signal.aborted && by === 'SIGPIPE') return;
    controller.abort();
    void closeAll().finally(() => process.exit(STATUS[by]));
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    end(signal as Interruption);
  };
  for (const name of SIGNALS) process.once(name, onSignal);
  running.add(end);
  try {
    const use = <R extends Closable>(resource: R): R => {
      resources.push(resource);
      return resource;
    };
    const result = await work({ signal: controller.signal, use });
    // After a signal the process is about to end with its status, not with that of the work.
    if (controller.signal.aborted) await new Promise(() => undefined);
    return result;
  } catch (error) {
    if (controller.signal.aborted) await new Promise(() => undefined);
    throw error;
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
    running.delete(end);
    await closeAll();
  }
}
