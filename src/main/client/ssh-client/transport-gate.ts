import { Transform, type Duplex, type TransformCallback } from 'node:stream';

/**
 * Passes bytes on only while the transport under an SSH connection takes them. ssh2 writes to its
 * socket without looking at the answer, so a channel alone would queue as much as the other side's
 * window allows, for every channel anew.
 */
export class TransportGate extends Transform {
  readonly #transport: Duplex;

  constructor(transport: Duplex) {
    super();
    this.#transport = transport;
  }

  override _transform(chunk: Buffer, _encoding: string, callback: TransformCallback): void {
    if (!this.#transport.writableNeedDrain || this.#transport.destroyed) {
      callback(null, chunk);
      return;
    }
    const pass = (): void => {
      this.#transport.off('drain', pass);
      this.#transport.off('close', pass);
      callback(null, chunk);
    };
    this.#transport.on('drain', pass);
    this.#transport.on('close', pass);
  }
}
