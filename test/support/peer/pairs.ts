import { createServer, connect, type Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import {
  framedOverDuplex,
  framedOverWebSocket,
  type PeerConnection,
  type WeriftAttempt,
} from '../../../src/shared/node/peer/index.js';
import type { ChannelEnd } from '../../../src/shared/common/index.js';
import type { WeriftInternals } from '../../../src/shared/node/peer/werift/internals.js';
import { webRtcPair } from './webrtc-pair.js';

/** Two ends of one connection in this process. */
export interface Pair {
  readonly client: PeerConnection;
  readonly server: PeerConnection;
  /** How channels of the server end then. Absent: as lost. */
  readonly lost?: ChannelEnd;
  /** Lets the client vanish without a word. */
  vanish(): void;
  /** Sends the server something that breaks the protocol, from the client's side. */
  sendGarbage(): void;
  close(): Promise<void>;
}

export interface PairOptions {
  readonly heartbeatMs?: number;
  /** What `vanish` needs of WebRTC: a path that can be cut. */
  readonly throughPath?: boolean;
}

/** The framed engine over a unix socket. */
export async function unixPair({ heartbeatMs }: PairOptions = {}): Promise<Pair> {
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
    framedOverDuplex(dialled, { role: 'client', heartbeatMs }),
    framedOverDuplex(serverSocket, { role: 'server', heartbeatMs }),
    () => dialled.destroy(),
    () => dialled.write(Buffer.alloc(64, 0xff)),
  );
}

/** The framed engine over a WebSocket. */
export async function webSocketPair({ heartbeatMs }: PairOptions = {}): Promise<Pair> {
  const listener = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  await new Promise((resolve) => listener.once('listening', resolve));
  const accepted = new Promise<WebSocket>((resolve) => listener.once('connection', resolve));
  const { port } = listener.address() as { port: number };
  const dialled = new WebSocket(`ws://127.0.0.1:${String(port)}`, { perMessageDeflate: false });
  // Messages of the server may arrive in the very turn of 'open'.
  const client = new Promise<PeerConnection>((resolve) => {
    dialled.once('open', () => {
      resolve(framedOverWebSocket(dialled, { role: 'client', heartbeatMs }));
    });
  });
  const serverSocket = await accepted;
  const server = framedOverWebSocket(serverSocket, { role: 'server', heartbeatMs });
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

/** The werift engine over loopback UDP. */
export async function weriftPair(options: PairOptions = {}): Promise<Pair> {
  const pair = await webRtcPair({ client: 'werift', server: 'werift', ...options });
  for (const side of ['client', 'server'] as const) {
    const { internals } = pair.insides[side];
    if (internals !== undefined) insides.set(pair[side], internals);
  }
  return pair;
}

const insides = new WeakMap<PeerConnection, WeriftInternals>();

/** The insides of an end of a werift pair, for tests that play a hostile peer. */
export function weriftInternals(connection: PeerConnection): WeriftInternals {
  const found = insides.get(connection);
  if (found === undefined) throw new Error('not an end of a werift pair');
  return found;
}

/** The certificate, in PEM, that an attempt will show: public, as everybody sees it in the handshake. */
export function weriftCertificate(attempt: WeriftAttempt): string {
  const { localCertificate } = attempt.internals.dtlsTransport;
  if (localCertificate === undefined) throw new Error('no certificate');
  return localCertificate.certPem;
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
