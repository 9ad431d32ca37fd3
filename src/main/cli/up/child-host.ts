import { toErrorRecord, type Closable } from '../../../shared/common/index.js';
import { asHoldfastError } from '../output/index.js';
import type { FromChild, ToChild } from './messages.js';

/** A service that a child of `up` runs. */
type Service = Closable & { readonly closed: Promise<unknown> };

/**
 * The life of a child of `up`: starts the service when it is told what to run, and ends with its
 * parent, however that ends. When the parent is killed the channel to it breaks, which is the one sign
 * that always comes. Ctrl-C reaches the whole process group, so signals are left to the parent.
 */
export function hostService(start: (message: ToChild) => Promise<Service | undefined>): void {
  let service: Service | undefined;
  let ending = false;
  const isEnding = (): boolean => ending;
  const end = async (): Promise<void> => {
    if (ending) return;
    ending = true;
    await service?.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => undefined);
  process.on('disconnect', () => void end());
  process.on('message', (message: ToChild) => {
    if (message.type === 'stop') {
      void end();
      return;
    }
    start(message)
      .then(async (started) => {
        service = started;
        if (isEnding()) {
          await service?.close();
          process.exit(0);
        }
        await service?.closed;
        // Not asked to: the parent starts another.
        if (!isEnding()) process.exit(1);
      })
      .catch((error: unknown) => {
        const failure = asHoldfastError(error);
        const report: FromChild = {
          type: 'failed',
          error: toErrorRecord(failure),
          hint: failure.hint,
        };
        if (process.send === undefined || !process.connected) process.exit(1);
        process.send(report, () => process.exit(1));
      });
  });
}

/** Tells the parent something. */
export function tellParent(message: FromChild): void {
  if (process.connected) process.send?.(message, () => undefined);
}
