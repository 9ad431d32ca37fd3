import { generateKeyPairSync } from 'node:crypto';
import { authenticateConnection } from '../../../src/main/client/connection/index.js';
import type { ByteChannel } from '../../../src/shared/common/index.js';
import { AgentControl, type HandshakeBinding } from '../../../src/shared/common/peer-auth/index.js';
import {
  nodePeerCrypto,
  nodeSigner,
  publicKeyText,
  type PeerChannel,
  type PeerConnection,
} from '../../../src/shared/node/peer/index.js';
import { nextChannel } from './channels.js';
import { controlRequests } from './requests.js';

export interface Authentication {
  readonly client: PeerConnection;
  readonly agent: PeerConnection;
  /** What the client says it is. */
  readonly engine: Parameters<typeof authenticateConnection>[1]['engine'];
  /** What lies between the agent and the client's channel. Absent: nothing. */
  readonly between?: (channel: PeerChannel) => ByteChannel;
  /** What the agent's end takes its binding for. Absent: for what it is. */
  readonly agentBinding?: (binding: HandshakeBinding) => HandshakeBinding;
}

/** Has both ends of a connection authenticate each other by a ticket; `accepted`, or the code of the error, of each. */
export async function authenticateBoth({
  client,
  agent,
  engine,
  between = (channel) => channel,
  agentBinding = (binding) => binding,
}: Authentication): Promise<{ client: string; agent: string }> {
  const clientKey = generateKeyPairSync('ed25519').privateKey;
  const agentKey = generateKeyPairSync('ed25519').privateKey;
  const ticket = { kind: 'ticket', workspaceId: 'w', ticketId: 't' } as const;
  const agentDone = nextChannel(agent).then(async (channel) => {
    const control = new AgentControl({
      channel: between(channel),
      binding: agentBinding(agent.binding()),
      client: { ...ticket, clientKey: publicKeyText(clientKey) },
      agentKey: publicKeyText(agentKey),
      sign: nodeSigner(agentKey),
      crypto: nodePeerCrypto,
      requests: controlRequests(),
      welcome: { workspace: 'w', subject: 's', scopes: ['owner'], agentVersion: 'test' },
    });
    return await codeOf(control.authenticate());
  });
  const clientDone = await codeOf(
    authenticateConnection(client, {
      engine,
      trust: { ...ticket, agentKey: publicKeyText(agentKey), sign: nodeSigner(clientKey) },
    }),
  );
  return { client: clientDone, agent: await agentDone };
}

async function codeOf(outcome: Promise<unknown>): Promise<string> {
  try {
    await outcome;
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
}
