import type { IncomingChannel } from '../../../src/main/agent/peers/index.js';
import { PortChannel } from '../../../src/shared/node/ports/index.js';

/** Sends back whatever comes on `channel`, with back-pressure. */
export function echo({ handle }: IncomingChannel): void {
  const port = new PortChannel(handle);
  const waiting: Uint8Array<ArrayBuffer>[] = [];
  const pump = (): void => {
    while (waiting.length > 0 && port.credit > 0) {
      const bytes = waiting.shift() as Uint8Array<ArrayBuffer>;
      port.consumed(bytes.length);
      port.send(bytes);
    }
  };
  port.start({
    message: (bytes) => {
      waiting.push(new Uint8Array(bytes));
      pump();
    },
    credit: pump,
    end: () => undefined,
  });
}
