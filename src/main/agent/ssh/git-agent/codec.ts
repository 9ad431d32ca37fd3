import { HoldfastError } from '../../../../shared/common/index.js';
import { PayloadReader, PayloadWriter } from '../internals.js';

/** What an ssh-agent is asked for; everything else is answered with a failure. */
export type AgentRequest =
  | { readonly type: 'identities' }
  | {
      readonly type: 'sign';
      readonly keyBlob: Buffer;
      readonly data: Buffer;
      /** Bits of SSH_AGENT_RSA_SHA2_256 (2) and SSH_AGENT_RSA_SHA2_512 (4). */
      readonly flags: number;
    }
  | { readonly type: 'unsupported' };

export interface AgentIdentity {
  readonly blob: Uint8Array;
  readonly comment: string;
}

/** Message numbers of draft-ietf-sshm-ssh-agent section 6.1. */
const FAILURE = 5;
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;

/** OpenSSH's own limit. What Git signs is a few hundred bytes. */
export const MAX_AGENT_MESSAGE = 256 * 1024;

/** One request from its message, without the length. A malformed one is `unsupported`. */
export function parseAgentRequest(message: Uint8Array): AgentRequest {
  switch (message[0]) {
    case REQUEST_IDENTITIES:
      return { type: 'identities' };
    case SIGN_REQUEST: {
      const reader = new PayloadReader(message, 1);
      const keyBlob = reader.string();
      const data = reader.string();
      const flags = reader.uint32();
      if (keyBlob === undefined || data === undefined || flags === undefined) break;
      return { type: 'sign', keyBlob, data, flags };
    }
    default:
  }
  // session-bind@openssh.com among them, which OpenSSH sends first and does not need.
  return { type: 'unsupported' };
}

export function encodeIdentities(identities: readonly AgentIdentity[]): Buffer {
  const writer = new PayloadWriter().byte(IDENTITIES_ANSWER).uint32(identities.length);
  for (const { blob, comment } of identities) writer.string(blob).string(comment);
  return frame(writer);
}

/** `signature` in SSH form: algorithm and bytes (RFC 4253 section 6.6). */
export function encodeSignature(signature: Uint8Array): Buffer {
  return frame(new PayloadWriter().byte(SIGN_RESPONSE).string(signature));
}

export function encodeFailure(): Buffer {
  return frame(new PayloadWriter().byte(FAILURE));
}

function frame(writer: PayloadWriter): Buffer {
  return new PayloadWriter().string(writer.finish()).finish();
}

/** Cuts a byte stream into messages. */
export class AgentFramer {
  #pending = Buffer.alloc(0);

  /**
   * The messages that `chunk` completes.
   * @throws {HoldfastError} ERR_MESSAGE_TOO_LARGE; nothing can follow that makes sense.
   */
  push(chunk: Uint8Array): Buffer[] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const messages: Buffer[] = [];
    while (this.#pending.length >= 4) {
      const length = this.#pending.readUInt32BE(0);
      if (length > MAX_AGENT_MESSAGE) {
        throw new HoldfastError('ERR_MESSAGE_TOO_LARGE', 'a message to the git agent is too large');
      }
      if (this.#pending.length < 4 + length) break;
      messages.push(this.#pending.subarray(4, 4 + length));
      this.#pending = this.#pending.subarray(4 + length);
    }
    return messages;
  }
}
