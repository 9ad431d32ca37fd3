import { createServer, connect, type Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import {
  framedOverDuplex,
  framedOverWebSocket,
  type PeerConnection,
} from '../../../src/shared/node/peer/index.js';

/** Two ends of one connection in this process. */
export interface Pair {
  readonly client: PeerConnection;
  readonly server: PeerConnection;
  /** Lets the client vanish without a word. */
  vanish(): void;
  /** Sends the server something that breaks the protocol, from the client's side. */
  sendGarbage(): void;
  close(): Promise<void>;
}

export interface PairOptions {
  readonly heartbeatMs?: number;
}

/** The framed engine over a unix socket. */
export async function unixPair(options: PairOptions = {}): Promise<Pair> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-peer-'));
  const path = join(folder, 's');
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve));
  const dialled = connect(path);
  const serverSocket = await accepted;
  listener.close();
  await rm(folder, { recursive: true });
  return pairOf(
    framedOverDuplex(dialled, { role: 'client', ...options }),
    framedOverDuplex(serverSocket, { role: 'server', ...options }),
    () => dialled.destroy(),
    () => dialled.write(Buffer.alloc(64, 0xff)),
  );
}

/** The framed engine over a WebSocket. */
export async function webSocketPair(options: PairOptions = {}): Promise<Pair> {
  const listener = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  await new Promise((resolve) => listener.once('listening', resolve));
  const accepted = new Promise<WebSocket>((resolve) => listener.once('connection', resolve));
  const { port } = listener.address() as { port: number };
  const dialled = new WebSocket(`ws://127.0.0.1:${String(port)}`, { perMessageDeflate: false });
  // Messages of the server may arrive in the very turn of 'open'.
  const client = new Promise<PeerConnection>((resolve) => {
    dialled.once('open', () => {
      resolve(framedOverWebSocket(dialled, { role: 'client', ...options }));
    });
  });
  const serverSocket = await accepted;
  const server = framedOverWebSocket(serverSocket, { role: 'server', ...options });
  const pair = pairOf(
    await client,
    server,
    () => {
      dialled.terminate();
    },
    () => {
      dialled.send(Buffer.alloc(64, 0xff));
    },
  );
  return {
    ...pair,
    close: async () => {
      await pair.close();
      listener.close();
    },
  };
}

export function pairOf(
  client: PeerConnection,
  server: PeerConnection,
  vanish: () => void,
  sendGarbage: () => void,
): Pair {
  return {
    client,
    server,
    vanish,
    sendGarbage,
    close: async () => {
      await Promise.all([client.close(), server.close()]);
    },
  };
}
