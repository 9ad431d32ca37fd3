/**
 * The native host: a program that the agent's main thread forks, with the path of a socket to listen on as its one
 * argument. It holds the connections of the engine `native`, since the library may end its process, and hands
 * each over to a peer worker through the socket. It ends when main goes, however main goes.
 */
import { createServer, type Socket } from 'node:net';
import { toErrorRecord } from '../../shared/common/index.js';
import {
  framedOverDuplex,
  HOST_TOKEN_LENGTH,
  loadNative,
  type HostCommand,
  type HostEvent,
} from '../../shared/node/peer/index.js';
import { HostedPeer } from './hosted-peer.js';

const [, , socketPath = ''] = process.argv;
/** A worker connects from within the agent and says its token at once. */
const TOKEN_MS = 5_000;

const peers = new Map<number, HostedPeer>();
const tokens = new Map<string, HostedPeer>();

process.on('disconnect', () => process.exit(0));
process.on('message', (command: HostCommand) => {
  receive(command);
});

try {
  await loadNative();
  const server = createServer(greet);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  tell({ type: 'ready' });
} catch (error) {
  tell({ type: 'unavailable', error: toErrorRecord(error) });
  process.disconnect();
}

function tell(event: HostEvent): void {
  if (process.connected) process.send?.(event, () => undefined);
}

function receive(command: HostCommand): void {
  switch (command.type) {
    case 'offer':
      answer(command);
      return;
    case 'candidate':
      peers.get(command.id)?.addCandidate(command.candidate);
      return;
    case 'probe':
      peers.get(command.id)?.probe();
      return;
    case 'expel':
      peers.get(command.id)?.expel(command.error);
      return;
    case 'close':
      peers.get(command.id)?.close();
      return;
    case 'beat':
      tell({ type: 'beat' });
      return;
  }
}

function answer(offer: Extract<HostCommand, { type: 'offer' }>): void {
  const peer = new HostedPeer(offer, tell);
  peers.set(offer.id, peer);
  tokens.set(offer.token, peer);
  void peer.serve().finally(() => {
    peers.delete(offer.id);
    tokens.delete(offer.token);
  });
}

/** Reads the token, and gives the rest of the stream to the connection that it is of; once. */
function greet(socket: Socket): void {
  const timer = setTimeout(() => {
    socket.destroy();
  }, TOKEN_MS);
  socket.on('error', () => undefined);
  const read = (): void => {
    const token = socket.read(HOST_TOKEN_LENGTH) as Buffer | null;
    if (token === null) return;
    clearTimeout(timer);
    socket.off('readable', read);
    const peer = tokens.get(token.toString('latin1'));
    if (peer?.isWaiting === true) peer.take(framedOverDuplex(socket, { role: 'client' }));
    else socket.destroy();
  };
  socket.on('readable', read);
}
