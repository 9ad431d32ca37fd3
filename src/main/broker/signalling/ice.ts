import { createHmac } from 'node:crypto';
import { limits } from '../../../shared/common/index.js';
import type { IceServer } from '../../../shared/common/wire/index.js';

export interface IceOptions {
  readonly stun: readonly string[];
  readonly turn?: { readonly urls: readonly string[]; readonly secret: string } | undefined;
}

/** The ICE servers for one party, with TURN credentials that end by themselves. */
export class IceServers {
  readonly #options: IceOptions;

  constructor(options: IceOptions) {
    this.#options = options;
  }

  /**
   * TURN credentials are those of the TURN REST API draft (draft-uberti-behave-turn-rest-00), which coturn
   * calls `use-auth-secret`: the name says until when and for whom, and an HMAC of it is the password.
   */
  for(subject: string, now: number = Date.now()): IceServer[] {
    const servers: IceServer[] = [];
    const { stun, turn } = this.#options;
    if (stun.length > 0) servers.push({ urls: [...stun] });
    if (turn !== undefined) {
      const expiry = Math.floor((now + limits.TURN_CREDENTIAL_MS) / 1_000);
      const username = `${String(expiry)}:${subject}`;
      servers.push({
        urls: [...turn.urls],
        username,
        // SHA-1 is what the draft and every TURN server have; as an HMAC it still holds.
        credential: createHmac('sha1', turn.secret).update(username).digest('base64'),
      });
    }
    return servers;
  }
}
