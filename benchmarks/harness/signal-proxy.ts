import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer, type RawData } from 'ws';
import type { BrokerToClient, ClientSignal } from '../../src/shared/common/wire/index.js';
import type { Path, RelayLink, UdpRelay } from './udp-relay/index.js';

/**
 * Stands between clients and the broker's signalling and leads each WebRTC connection over a link of its own of a
 * relay: the client is end A of the link, the agent end B. Everything else passes as it is.
 */
export class SignalProxy {
  /** Of the connections so far, in their order; a client's is there once its connection stands. */
  readonly links: RelayLink[] = [];
  readonly #server: WebSocketServer;
  readonly #target: string;
  readonly #relay: UdpRelay;
  readonly #path: () => Path;

  private constructor(server: WebSocketServer, target: string, relay: UdpRelay, path: () => Path) {
    this.#server = server;
    this.#target = target;
    this.#relay = relay;
    this.#path = path;
    server.on('connection', (client) => {
      this.#serve(client);
    });
  }

  /**
   * @param target `ws://broker/api/v1/connect`.
   * @param path Asked for each connection.
   */
  static async start(target: string, relay: UdpRelay, path: () => Path): Promise<SignalProxy> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    await once(server, 'listening');
    return new SignalProxy(server, target, relay, path);
  }

  /** What clients take for the broker's `/api/v1/connect`. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `ws://127.0.0.1:${String(port)}${new URL(this.#target).pathname}`;
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
    await Promise.all(this.links.map((link) => link.close()));
  }

  #serve(client: WebSocket): void {
    const broker = new WebSocket(this.#target, { perMessageDeflate: false });
    const link = this.#relay.link(this.#path());
    const ready = Promise.all([once(broker, 'open'), link]);
    ready.catch(() => {
      client.terminate();
    });
    void link.then(
      (made) => this.links.push(made),
      () => undefined,
    );
    // Each in its own order; nothing passes before there is a way to pass it.
    let up: Promise<unknown> = ready;
    let down: Promise<unknown> = ready;
    client.on('message', (data) => {
      up = up
        .then(async () => {
          const message = fromClient(parse(data) as ClientSignal, await link);
          if (message !== undefined) broker.send(JSON.stringify(message));
        })
        .catch(() => undefined);
    });
    broker.on('message', (data) => {
      down = down
        .then(async () => {
          const message = fromBroker(parse(data) as BrokerToClient, await link);
          if (message !== undefined) client.send(JSON.stringify(message));
        })
        .catch(() => undefined);
    });
    client.on('error', () => undefined);
    broker.on('error', () => client.terminate());
    client.on('close', () => broker.close());
    broker.on('close', () => {
      void down.then(() => {
        client.close(1000);
      });
    });
  }
}

function parse(data: RawData): unknown {
  return JSON.parse((data as Buffer).toString());
}

function fromClient(message: ClientSignal, { signals }: RelayLink): ClientSignal | undefined {
  if (message.type === 'offer') return { ...message, sdp: signals.sdp('a', message.sdp) };
  if (message.type !== 'candidate') return message;
  const candidate = signals.candidate('a', message.candidate.candidate);
  if (candidate === undefined) return undefined;
  return { ...message, candidate: { ...message.candidate, candidate } };
}

function fromBroker(message: BrokerToClient, { signals }: RelayLink): BrokerToClient | undefined {
  if (message.type === 'answer') return { ...message, sdp: signals.sdp('b', message.sdp) };
  if (message.type !== 'candidate') return message;
  const candidate = signals.candidate('b', message.candidate.candidate);
  if (candidate === undefined) return undefined;
  return { ...message, candidate: { ...message.candidate, candidate } };
}
