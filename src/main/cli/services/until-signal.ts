import type { Closable } from '../../../shared/common/index.js';
import { EXIT } from '../output/index.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Waits until `service` ends by itself, or a signal asks for it. The first signal closes it and is no
 * failure; a second one does not wait for the end.
 * @returns The exit status.
 */
export async function untilSignal(
  service: Closable & { readonly closed: Promise<unknown> },
): Promise<number> {
  let signalled = false;
  let hurry: (() => void) | undefined;
  const hurried = new Promise<'hurried'>((resolve) => {
    hurry = () => {
      resolve('hurried');
    };
  });
  let begin: (() => void) | undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const onSignal = (): void => {
    if (signalled) hurry?.();
    signalled = true;
    begin?.();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    await Promise.race([service.closed, begun]);
    const outcome = await Promise.race([service.close(), hurried]);
    return outcome === 'hurried' ? EXIT.interrupted : EXIT.ok;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
