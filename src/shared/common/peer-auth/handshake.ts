import type { OwnedBytes } from '../byte-channel.js';
import { HoldfastError } from '../errors.js';
import {
  EXPORTER_BYTES,
  peerTranscript,
  type AgentEngine,
  type PeerEngine,
} from '../wire/index.js';
import { fromBase64Url, toBase64Url } from './base64url.js';

/** The Ed25519 and randomness of the platform: node:crypto, or WebCrypto in the page. */
export interface PeerCrypto {
  randomBytes(length: number): Uint8Array;
  /** Whether `signature` (64 bytes) over `data` was made with the key of `publicKey` (32 bytes). */
  verify(publicKey: Uint8Array, signature: Uint8Array, data: Uint8Array): Promise<boolean>;
}

/** Signs with one private key that stays where it is; 64 bytes. */
export type Signer = (data: Uint8Array) => Promise<Uint8Array>;

/** What an engine tells of its connection; `PeerBinding` of the adapter has this shape. */
export interface HandshakeBinding {
  readonly engine: string;
  readonly localFingerprint: string;
  readonly remoteFingerprint: string;
  readonly exporter?: Uint8Array | undefined;
}

export interface TranscriptParts {
  /** The engine that the client stated in its `hello`. */
  readonly engine: PeerEngine;
  /** What the agent stated in its `hello`; not looked at by the agent, whose own binding says it. */
  readonly agentEngine?: AgentEngine | undefined;
  readonly binding: HandshakeBinding;
  /** Whose view `binding` is. */
  readonly side: 'agent' | 'client';
  readonly workspace: string;
  readonly ticketId: string;
  readonly clientNonce: string;
  readonly agentNonce: string;
}

export const NONCE_BYTES = 32;

/**
 * The bytes that `role` signs over this connection.
 *
 * One end that verifies that the other holds the key of its certificate is enough, since both sign both
 * certificates: whoever stands in between would have to show that end a certificate of his own, and the two
 * would sign different ones. But an end with werift, which verifies nothing, must have it from the other's
 * signature that the other does. So the engine that the client states is in the transcript; with a werift
 * client the agent's `native` is, too; and only where neither verifies, the value of the DTLS exporter has to
 * be. Each end computes this from what it runs itself, so nobody in between can turn one pairing into another: an
 * agent that was shown `browser` in a changed `hello` computes another transcript than the werift client
 * signed, and so does a werift agent whose `hello` was changed to `native` on its way.
 * @throws {HoldfastError} ERR_PEER_AUTH if the engines cannot be bound to each other safely.
 */
export function handshakeTranscript(role: 'agent' | 'client', parts: TranscriptParts): Uint8Array {
  const { binding, engine, side } = parts;
  const ours = side === 'client';
  if ((engine === 'framed') !== (binding.engine === 'framed'))
    throw new HoldfastError('ERR_PEER_AUTH', 'the stated engine is not the one in use');
  const agentEngine = ours ? parts.agentEngine : binding.engine;
  const onlyAgentVerifies = engine === 'werift' && agentEngine === 'native';
  const nobodyVerifies = engine === 'werift' && !onlyAgentVerifies;
  return peerTranscript(role, {
    engine: onlyAgentVerifies ? 'werift native' : engine,
    workspace: parts.workspace,
    ticketId: parts.ticketId,
    clientNonce: parts.clientNonce,
    agentNonce: parts.agentNonce,
    clientFingerprint: ours ? binding.localFingerprint : binding.remoteFingerprint,
    agentFingerprint: ours ? binding.remoteFingerprint : binding.localFingerprint,
    exporter: nobodyVerifies ? exporterOf(binding) : 'absent',
  });
}

/** @throws {HoldfastError} ERR_PEER_AUTH without one. */
function exporterOf({ exporter }: HandshakeBinding): string {
  if (exporter?.length !== EXPORTER_BYTES)
    throw new HoldfastError('ERR_PEER_AUTH', 'this connection has no exporter to bind to');
  return toBase64Url(exporter);
}

/** @throws {HoldfastError} ERR_PEER_AUTH unless the signature holds. */
export async function requireProof(
  crypto: PeerCrypto,
  { key, signature, data }: { key: string; signature: string; data: Uint8Array },
): Promise<void> {
  const valid = await crypto.verify(fromBase64Url(key), fromBase64Url(signature), data);
  if (!valid)
    throw new HoldfastError(
      'ERR_PEER_AUTH',
      'the signature of the other end does not fit this connection',
    );
}

/** A control message as bytes of their own. */
export function encodeControl(message: unknown): OwnedBytes {
  return new TextEncoder().encode(JSON.stringify(message));
}

/** The smallest part of a zod schema that is needed here. */
interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}

/** @throws {HoldfastError} ERR_PROTOCOL unless `bytes` are JSON that `schema` takes. */
export function decodeControl<T>(bytes: Uint8Array, schema: Schema<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new HoldfastError('ERR_PROTOCOL', 'a control message is not JSON');
  }
  const result = schema.safeParse(value);
  if (!result.success) throw new HoldfastError('ERR_PROTOCOL', 'a control message is malformed');
  return result.data;
}
