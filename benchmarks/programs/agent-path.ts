import { createBrokerApi } from '../../src/main/client/broker-api/index.js';
import {
  connectLocal,
  connectPeer,
  type AgentConnection,
} from '../../src/main/client/connection/index.js';
import type { Engine } from '../harness/index.js';

/** How a client program reaches an agent. */
export type AgentPath =
  | { readonly kind: 'local'; readonly socket: string }
  | {
      readonly kind: 'peer';
      /** Of the signalling: the broker's, or that of a proxy before it. */
      readonly signalUrl: string;
      readonly brokerUrl: string;
      readonly token: string;
      readonly workspace: string;
      /** `relay`: the framed engine through the broker. */
      readonly engine: Engine | 'relay';
    };

/** Connects and authenticates. */
export async function openAgent(path: AgentPath): Promise<AgentConnection> {
  if (path.kind === 'local') return await connectLocal({ path: path.socket });
  const { signalUrl, brokerUrl, token, workspace, engine } = path;
  const api = createBrokerApi({ brokerUrl, token });
  // Not every version of the client takes a choice of engines; one that does not has only the first.
  const choice: object = engine === 'relay' ? {} : { webrtc: engine };
  return await connectPeer({
    url: signalUrl,
    path: engine === 'relay' ? 'relay' : 'direct',
    getTicket: (publicKey) => api.getTicket(workspace, { publicKey }),
    ...choice,
  });
}
