import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ByteChannel } from '../../src/shared/common/index.js';
import type { HandshakeBinding } from '../../src/shared/common/peer-auth/index.js';
import type { PeerChannel } from '../../src/shared/node/peer/index.js';
import { checkLeaks } from '../support/index.js';
import {
  authenticateBoth,
  startNative,
  webRtcPair,
  type WebRtcEngine,
} from '../support/peer/index.js';

await startNative();
checkLeaks();

type Json = Record<string, unknown>;
/** What somebody in between makes of a control message. */
type Rewrite = (message: Json) => Json;

const ENGINES = ['werift', 'native'] as const;
const REFUSED = { client: 'ERR_PEER_AUTH', agent: 'ERR_PEER_AUTH' };
const keep: Rewrite = (message) => message;

for (const client of ENGINES) {
  for (const agent of ENGINES) {
    test(`pairing - a ${client} client and a ${agent} agent authenticate each other`, async () => {
      const outcome = await authenticate({ client, agent });
      assert.deepEqual(outcome, { client: 'accepted', agent: 'accepted' });
    });
  }
}

const helloAs =
  (engine: string): Rewrite =>
  (message) =>
    message['type'] === 'hello' ? { ...message, engine } : message;

/** Each turns a pairing, on its way, into one with a weaker proof. */
const DOWNGRADES: {
  client: WebRtcEngine;
  agent: WebRtcEngine;
  what: string;
  toAgent?: Rewrite;
  toClient?: Rewrite;
}[] = [
  ...['browser', 'native'].map((name) => ({
    client: 'werift' as const,
    agent: 'werift' as const,
    what: `the client is passed off as ${name}`,
    toAgent: helloAs(name),
  })),
  {
    client: 'werift',
    agent: 'werift',
    what: 'the agent is passed off as native',
    toClient: helloAs('native'),
  },
  {
    client: 'werift',
    agent: 'werift',
    what: 'each is passed off as native',
    toAgent: helloAs('native'),
    toClient: helloAs('native'),
  },
  {
    client: 'werift',
    agent: 'native',
    what: 'the agent is passed off as werift',
    toClient: helloAs('werift'),
  },
  {
    client: 'werift',
    agent: 'native',
    what: 'the client is passed off as native',
    toAgent: helloAs('native'),
  },
  {
    client: 'native',
    agent: 'werift',
    what: 'the client is passed off as werift',
    toAgent: helloAs('werift'),
  },
];

for (const { client, agent, what, ...rewrites } of DOWNGRADES) {
  test(`pairing - both ends refuse when between a ${client} client and a ${agent} agent ${what}`, async () => {
    assert.deepEqual(await authenticate({ client, agent, ...rewrites }), REFUSED);
  });
}

test('pairing - a werift end refuses a werift peer without exporter', async () => {
  const bind = ({ exporter: _exporter, ...binding }: HandshakeBinding): HandshakeBinding => binding;
  const outcome = await authenticate({ client: 'werift', agent: 'werift', agentBinding: bind });
  assert.deepEqual(outcome, REFUSED);
});

test('pairing - other fingerprints than those that were seen are refused, whatever the engines', async () => {
  for (const client of ENGINES) {
    for (const agent of ENGINES) {
      const bind = (binding: HandshakeBinding): HandshakeBinding => ({
        ...binding,
        remoteFingerprint: binding.localFingerprint,
      });
      assert.deepEqual(await authenticate({ client, agent, agentBinding: bind }), REFUSED);
    }
  }
});

test('pairing - a werift client from before agents had a choice is told that it is too old', async () => {
  const toAgent: Rewrite = ({ pairs: _pairs, ...message }) => message;
  const outcome = await authenticate({ client: 'werift', agent: 'native', toAgent });
  assert.deepEqual(outcome, { client: 'ERR_PROTOCOL_VERSION', agent: 'ERR_PROTOCOL_VERSION' });
});

test('pairing - other clients from before agents had a choice are served', async () => {
  for (const [client, agent] of [
    ['native', 'native'],
    ['native', 'werift'],
    ['werift', 'werift'],
  ] as const) {
    const outcome = await authenticate({
      client,
      agent,
      toAgent: ({ pairs: _pairs, ...message }) => message,
      toClient: ({ engine: _engine, ...message }) => message,
    });
    assert.deepEqual(outcome, { client: 'accepted', agent: 'accepted' });
  }
});

interface Attempt {
  readonly client: WebRtcEngine;
  readonly agent: WebRtcEngine;
  readonly toAgent?: Rewrite;
  readonly toClient?: Rewrite;
  /** What the agent's end takes its binding for. */
  readonly agentBinding?: (binding: HandshakeBinding) => HandshakeBinding;
}

/** Authenticates both ends of a fresh pair; what each of them says in the end. */
async function authenticate({
  client,
  agent,
  toAgent = keep,
  toClient = keep,
  agentBinding,
}: Attempt): Promise<{ client: string; agent: string }> {
  const pair = await webRtcPair({ client, server: agent });
  const outcome = await authenticateBoth({
    client: pair.client,
    agent: pair.server,
    engine: client,
    between: (channel) => rewriting(channel, toAgent, toClient),
    ...(agentBinding === undefined ? {} : { agentBinding }),
  });
  await pair.close();
  return outcome;
}

/** The agent's end of a channel on which somebody in between changes what passes. */
function rewriting(channel: PeerChannel, toAgent: Rewrite, toClient: Rewrite): ByteChannel {
  return {
    get credit() {
      return channel.credit;
    },
    start: (handlers) => {
      channel.start({
        message: (bytes) => {
          handlers.message(rewritten(bytes, toAgent));
        },
        credit: () => {
          handlers.credit();
        },
        end: (end) => {
          handlers.end(end);
        },
      });
    },
    send: (bytes) => {
      channel.send(rewritten(bytes, toClient));
    },
    consumed: (bytes) => {
      channel.consumed(bytes);
    },
    close: (error) => {
      channel.close(error);
    },
  };
}

function rewritten(bytes: Uint8Array, rewrite: Rewrite): Uint8Array<ArrayBuffer> {
  const message = rewrite(JSON.parse(new TextDecoder().decode(bytes)) as Json);
  return new TextEncoder().encode(JSON.stringify(message));
}
