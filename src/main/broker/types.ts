import type { Closable, Logger } from '../../shared/common/index.js';
import type { IssuerKey } from '../../shared/common/wire/index.js';
import type { Store } from './store/index.js';

export interface TlsFiles {
  /** PEM, with the chain. */
  readonly certFile: string;
  /** PEM, readable by nobody else. */
  readonly keyFile: string;
}

export interface TurnOptions {
  /** Such as `turn:host:3478?transport=udp`. */
  readonly urls: readonly string[];
  /**
   * File with the secret that the TURN server shares (coturn's `static-auth-secret`). Peers only get
   * credentials made from it that expire after ten minutes.
   */
  readonly secretFile: string;
}

export interface BrokerOptions {
  /** Keys, store and the operator's token live here; made if missing, locked while the broker runs. */
  readonly stateDir: string;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 7420; 0 takes a free one. */
  readonly port?: number;
  /** Absent: plain HTTP, which anything but loopback must allow with {@link allowInsecureListen}. */
  readonly tls?: TlsFiles;
  /** Lets a non-loopback `host` go without TLS, for use behind a proxy that ends TLS. */
  readonly allowInsecureListen?: boolean;
  /** Where browsers reach the broker if not at the address it listens on: an origin, no path. */
  readonly publicUrl?: string;
  /** Such as `stun:host:3478`. Default none: nothing outside is contacted. */
  readonly stun?: readonly string[];
  readonly turn?: TurnOptions;
  /** Folder of the built page. Default: `dist/web` beside the code; absent on disk: no page. */
  readonly webRoot?: string;
  readonly logger?: Logger;
  /** Default: an embedded store in the state folder. The broker closes it. */
  readonly store?: Store;
}

/** A running broker. */
export interface Broker extends Closable {
  /** Origin under which it listens, such as `http://127.0.0.1:7420`; no slash at the end. */
  readonly url: string;
  /** `publicUrl` if given, else `url`: what to put into links. */
  readonly publicUrl: string;
  readonly port: number;
  /** The key that signs its tickets. */
  readonly issuerKey: IssuerKey;
  /**
   * File (0600) with a token of role `admin` for whoever runs the broker; made on first start, and anew
   * on the next start after it was revoked or removed.
   */
  readonly adminTokenFile: string;
  /** Resolves when it has ended. Never rejects. */
  readonly closed: Promise<void>;
}
