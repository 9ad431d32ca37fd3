import { createServer, connect, type Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import {
  answerWerift,
  createWeriftOffer,
  framedOverDuplex,
  framedOverWebSocket,
  type PeerConnection,
  type WeriftAttempt,
} from '../../../src/shared/node/peer/index.js';
import type { IceCandidate } from '../../../src/shared/common/wire/index.js';
import type { WeriftInternals } from '../../../src/shared/node/peer/werift/internals.js';

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

/** The werift engine over loopback UDP. */
export async function weriftPair(options: PairOptions = {}): Promise<Pair> {
  const common = { iceServers: [], ...options };
  const early: IceCandidate[] = [];
  const answered: WeriftAttempt[] = [];
  const offer = await createWeriftOffer({
    ...common,
    onCandidate: (candidate) => {
      if (answered[0] === undefined) early.push(candidate);
      else answered[0].addCandidate(candidate);
    },
  });
  const answerer = await answerWerift(offer.sdp, {
    ...common,
    onCandidate: (candidate) => {
      offer.addCandidate(candidate);
    },
  });
  answered.push(answerer);
  for (const candidate of early) answerer.addCandidate(candidate);
  await offer.setAnswer(answerer.sdp);
  const [client, server] = await Promise.all([offer.connection, answerer.connection]);
  insides.set(client, offer.internals);
  insides.set(server, answerer.internals);
  const { sctp, dtlsTransport } = weriftInternals(client);
  return pairOf(
    client,
    server,
    () => {
      // Nothing leaves this end any more, as if its machine had lost power.
      for (const { transport } of dtlsTransport.iceTransport.connection.protocols)
        (transport as { send: () => Promise<void> }).send = () => Promise.resolve();
    },
    () => {
      // A message of no known kind on a stream that was never opened.
      void sctp.send(6_001, 99, Buffer.from('x'), { ordered: true });
    },
  );
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
