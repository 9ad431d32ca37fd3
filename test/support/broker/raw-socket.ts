import { WebSocket, type ClientOptions } from 'ws';
import type { BrokerToClient } from '../../../src/shared/common/wire/index.js';
import { waitFor } from '../index.js';

/** How an upgrade ended that was refused. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
}

/** A WebSocket client that does just what the test says. */
export class RawSocket {
  readonly ws: WebSocket;
  readonly messages: Buffer[] = [];
  refusal: Refusal | undefined;
  closeCode: number | undefined;
  closeReason = '';

  constructor(url: string, options: ClientOptions = {}) {
    this.ws = new WebSocket(url.replace(/^http/, 'ws'), options);
    this.ws.on('error', () => undefined);
    this.ws.on('message', (data) => this.messages.push(data as Buffer));
    this.ws.on('close', (code, reason) => {
      this.closeCode = code;
      this.closeReason = reason.toString();
    });
    this.ws.on('unexpected-response', (request, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        this.refusal = {
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
        };
        request.destroy();
      });
    });
  }

  /** Resolves once open; rejects if it was refused. */
  async opened(): Promise<this> {
    await waitFor(() => this.ws.readyState !== WebSocket.CONNECTING || this.refusal !== undefined);
    if (this.ws.readyState !== WebSocket.OPEN)
      throw new Error(`refused: ${this.refusal?.body ?? ''}`);
    return this;
  }

  /** The code of the refusal; fails if it was let in. */
  async refused(): Promise<string> {
    await waitFor(() => {
      if (this.ws.readyState === WebSocket.OPEN) throw new Error('was let in');
      return this.refusal;
    });
    return (JSON.parse(this.refusal?.body ?? '{}') as { error: { code: string } }).error.code;
  }

  send(message: unknown): void {
    this.ws.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The first message of `type`, whenever it comes. */
  async next<T extends BrokerToClient['type']>(
    type: T,
  ): Promise<Extract<BrokerToClient, { type: T }>> {
    return await waitFor(
      () =>
        this.messages
          .map((data) => JSON.parse(data.toString()) as BrokerToClient)
          .find((message) => message.type === type) as Extract<BrokerToClient, { type: T }>,
      { what: `a message of type ${type}` },
    );
  }

  /** The code of the error message that it ended with. */
  async failed(): Promise<string> {
    await this.closed();
    return (await this.next('error')).error.code;
  }

  async closed(): Promise<number> {
    return await waitFor(() => this.closeCode, { what: 'the socket to close' });
  }

  close(): void {
    this.ws.terminate();
  }
}
