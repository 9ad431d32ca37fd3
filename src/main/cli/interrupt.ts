import type { Closable } from '../../shared/common/index.js';
import { EXIT } from './output/index.js';

const STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

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
  const onSignal = (signal: NodeJS.Signals): void => {
    controller.abort();
    const status = signal in STATUS ? STATUS[signal as keyof typeof STATUS] : EXIT.interrupted;
    void closeAll().finally(() => process.exit(status));
  };
  const names = Object.keys(STATUS) as (keyof typeof STATUS)[];
  for (const name of names) process.once(name, onSignal);
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
    for (const name of names) process.off(name, onSignal);
    await closeAll();
  }
}
