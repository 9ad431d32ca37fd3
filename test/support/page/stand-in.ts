import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { AgentControl } from '../../../src/shared/common/peer-auth/index.js';
import {
  parseTerminalLabel,
  type IceCandidate,
  type TerminalInfo,
} from '../../../src/shared/common/wire/index.js';
import {
  answerWerift,
  framedOverWebSocket,
  nodePeerCrypto,
  nodeSigner,
  publicKeyText,
  type PeerChannel,
  type PeerConnection,
  type WeriftAttempt,
} from '../../../src/shared/node/peer/index.js';
import { controlRequests } from '../peer/requests.js';
import { ScriptedTerminal } from '../scripted-terminal.js';

const WEB_ROOT = path.resolve('dist/web');
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.map': 'application/json',
};

/** Stricter than the broker's own: whatever works under this works there. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

export interface StandIn {
  readonly url: string;
  readonly token: string;
  /** Terminals by id, made when first attached. */
  readonly terminals: Map<string, ScriptedTerminal>;
  /** Makes a new terminal ready before the page attaches it. */
  prepare(id: string): ScriptedTerminal;
  /** From now on the agent shows another key. */
  changeAgentKey(): void;
  /** The agent is away, or back. Away also cuts its connections. */
  setOnline(online: boolean): void;
  /** Whether the agent answers offers. */
  setDirect(direct: boolean): void;
  /** Cuts what connects page and agent. */
  cutConnections(): void;
  close(): Promise<void>;
}

/**
 * Broker and agent in one small server with the real wire formats, the real engines and the real
 * handshake, but scripted terminals: what the page does in rare situations can be tested here without
 * bringing them about in a whole installation.
 */
export async function startStandIn(): Promise<StandIn> {
  const token = 'stand-in-token';
  const terminals = new Map<string, ScriptedTerminal>();
  const tickets = new Map<string, { readonly jti: string; readonly clientKey: string }>();
  const connections = new Set<PeerConnection>();
  const sockets = new Set<WebSocket>();
  let agent = generateKeyPairSync('ed25519').privateKey;
  let online = true;
  let direct = true;

  const prepare = (id: string): ScriptedTerminal => {
    const old = terminals.get(id);
    const terminal =
      old === undefined || old.hasExited ? new ScriptedTerminal(epochOf(randomUUID())) : old;
    terminal.frameBytes = 4_096;
    terminal.inputWindow = 65_536;
    terminals.set(id, terminal);
    return terminal;
  };

  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.writeHead(500).end());
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', 'http://stand-in');
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (!pathname.startsWith('/api/')) {
      const file = pathname === '/' || pathname.startsWith('/w/') ? '/index.html' : pathname;
      const body = await readFile(path.join(WEB_ROOT, path.normalize(file))).catch(() => undefined);
      response.writeHead(body === undefined ? 404 : 200, {
        'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
        'content-security-policy': POLICY,
        'referrer-policy': 'no-referrer',
      });
      response.end(body);
      return;
    }
    if (request.headers.authorization !== `Bearer ${token}`) {
      json(401, { error: { code: 'ERR_UNAUTHORIZED', message: 'the token is not known' } });
    } else if (pathname === '/api/v1/workspaces') {
      json(200, { workspaces: [workspace('local', online), workspace('attic', false)] });
    } else if (/^\/api\/v1\/workspaces\/[^/]+\/tickets$/.test(pathname)) {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const { publicKey } = JSON.parse(body) as { publicKey: string };
      const jti = randomUUID();
      const claims = Buffer.from(JSON.stringify({ jti })).toString('base64url');
      const ticket = `head.${claims}.signature`;
      tickets.set(ticket, { jti, clientKey: publicKey });
      json(200, {
        ticket,
        workspaceId: 'ws-local',
        workspace: 'local',
        subject: 'tester',
        online,
        agentKey: publicKeyText(agent),
      });
    } else {
      json(404, { error: { code: 'ERR_NOT_FOUND', message: 'no such address' } });
    }
  };

  const upgrades = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    upgrades.handleUpgrade(request, socket, head, (webSocket) => {
      sockets.add(webSocket);
      webSocket.on('close', () => sockets.delete(webSocket));
      if (request.url === '/api/v1/connect') signal(webSocket);
      else relay(webSocket, decodeURIComponent((request.url ?? '').replace('/relay/', '')));
    });
  });

  const signal = (socket: WebSocket): void => {
    let proof = '';
    let attempt: Promise<WeriftAttempt> | undefined;
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as {
        type: string;
        ticket: string;
        sdp: string;
        candidate: IceCandidate;
      };
      if (message.type === 'open') {
        proof = message.ticket;
        const session = 'A'.repeat(22);
        socket.send(JSON.stringify({ type: 'opened', session, iceServers: [] }));
      } else if (message.type === 'relay') {
        const path = `/relay/${encodeURIComponent(message.ticket)}`;
        socket.send(JSON.stringify({ type: 'relay', path }));
      } else if (message.type === 'offer' && direct) {
        attempt = answerWerift(message.sdp, {
          iceServers: [],
          onCandidate: (candidate) => {
            socket.send(JSON.stringify({ type: 'candidate', candidate }));
          },
        });
        void attempt
          .then(async ({ sdp, connection }) => {
            socket.send(JSON.stringify({ type: 'answer', sdp }));
            serve(await connection, proof);
          })
          .catch(() => undefined);
      } else if (message.type === 'candidate') {
        void attempt?.then(({ addCandidate }) => {
          addCandidate(message.candidate);
        });
      }
    });
    socket.on('close', () => {
      // One that stands lives on; one that does not is given up.
      void attempt?.then(async (started) => {
        if (![...connections].some((each) => each.engine === 'werift')) await started.abandon();
      });
    });
  };

  const relay = (socket: WebSocket, ticket: string): void => {
    if (tickets.has(ticket)) serve(framedOverWebSocket(socket, { role: 'server' }), ticket);
    else socket.close();
  };

  const serve = (connection: PeerConnection, ticket: string): void => {
    const claims = tickets.get(ticket);
    if (claims === undefined) return;
    connections.add(connection);
    void connection.closed.then(() => connections.delete(connection));
    connection.onChannel((channel) => {
      if (channel.protocol === 'control') control(connection, channel, claims);
      else if (channel.protocol === 'terminal') {
        prepare(parseTerminalLabel(channel.label, 'terminal').id).serve(channel);
      } else channel.close();
    });
  };

  const control = (
    connection: PeerConnection,
    channel: PeerChannel,
    { jti, clientKey }: { readonly jti: string; readonly clientKey: string },
  ): void => {
    void new AgentControl({
      channel,
      binding: connection.binding(),
      client: { kind: 'ticket', workspaceId: 'ws-local', ticketId: jti, clientKey },
      agentKey: publicKeyText(agent),
      sign: nodeSigner(agent),
      crypto: nodePeerCrypto,
      requests: controlRequests({
        terminals: () => Promise.resolve([...terminals].map(terminalInfo)),
        kill: (id) => {
          terminals.get(id)?.exit({ kind: 'signal', signal: 'SIGHUP' });
          terminals.delete(id);
          return Promise.resolve();
        },
      }),
      welcome: {
        workspace: 'local',
        subject: 'tester',
        scopes: ['owner'],
        agentVersion: '0.0.0',
      },
    })
      .authenticate()
      .catch(() => connection.close());
  };

  const cutConnections = (): void => {
    for (const connection of connections) void connection.close();
    for (const socket of sockets) socket.terminate();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    terminals,
    prepare,
    changeAgentKey: () => {
      agent = generateKeyPairSync('ed25519').privateKey;
    },
    setOnline: (value) => {
      online = value;
      if (!value) cutConnections();
    },
    setDirect: (value) => {
      direct = value;
    },
    cutConnections,
    close: async () => {
      const open = [...connections];
      cutConnections();
      await Promise.all(open.map(async (connection) => await connection.close()));
      upgrades.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function workspace(name: string, online: boolean): Record<string, unknown> {
  return {
    id: `ws-${name}`,
    name,
    ownerEmail: '',
    ownerUsername: '',
    directory: '',
    hasStartupScript: false,
    hasGitKey: false,
    createdAt: new Date().toISOString(),
    online,
  };
}

function terminalInfo([id, terminal]: [string, ScriptedTerminal]): TerminalInfo {
  return {
    id,
    state: 'running',
    rows: 40,
    cols: 120,
    viewers: terminal.viewerCount,
    bytes: terminal.log.length,
    idleMs: 0,
    createdAt: new Date().toISOString(),
    title: terminal.title,
  };
}

/** A different log for each terminal, as the agent has it. */
function epochOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
