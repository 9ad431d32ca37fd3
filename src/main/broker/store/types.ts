import type { Closable } from '../../../shared/common/index.js';
import type { Metadata, ShareMode, TokenRole } from '../../../shared/common/wire/index.js';

/** A workspace as stored. */
export interface WorkspaceRecord {
  /** Audience of its tickets; never used again, even if a workspace of the same name is. */
  readonly id: string;
  readonly name: string;
  readonly metadata: Metadata;
  readonly gitKey?: string | undefined;
  /** Milliseconds since the epoch, as all times here. */
  readonly createdAt: number;
  readonly lastSeenAt?: number | undefined;
  readonly agentVersion?: string | undefined;
  /** Recorded when an agent first connects; another one is refused until the owner resets it. */
  readonly agentKey?: string | undefined;
  readonly sshHostKey?: string | undefined;
}

interface TokenBase {
  readonly id: string;
  /** SHA-256 of the secret, base64url. The secret itself is nowhere. */
  readonly hash: string;
  readonly createdAt: number;
}

/** A credential of a person or program. */
export interface UserTokenRecord extends TokenBase {
  readonly kind: 'user';
  readonly name: string;
  readonly role: TokenRole;
  /** Ids of workspaces, so that a later workspace of the same name is not meant. */
  readonly workspaces: 'all' | readonly string[];
  readonly scopes: readonly string[];
  readonly expiresAt?: number | undefined;
  /** Id of the token that made it and ends it along with itself. Absent: the broker's operator. */
  readonly createdBy?: string | undefined;
}

/** The credential of the agent of one workspace. */
export interface AgentTokenRecord extends TokenBase {
  readonly kind: 'agent';
  readonly workspaceId: string;
}

export type TokenRecord = UserTokenRecord | AgentTokenRecord;

/** A share link. Ended ones stay for a while, so that their holders learn what became of them. */
export interface ShareRecord {
  readonly kind: 'share';
  readonly id: string;
  /** SHA-256 of the secret, base64url. The secret itself is nowhere. */
  readonly hash: string;
  readonly workspaceId: string;
  /** `*`: every terminal. */
  readonly terminal: string;
  readonly mode: ShareMode;
  /** For whom it was made. */
  readonly name: string;
  /** How many may be connected through it at a time. */
  readonly viewers: number;
  readonly createdAt: number;
  /** Absent: until revoked. */
  readonly expiresAt?: number | undefined;
  /** Id of the token that made it and ends it along with itself. */
  readonly createdBy: string;
  /** Absent: it was not. */
  readonly revokedAt?: number | undefined;
}

/** One thing that happened. Never holds a secret. */
export interface AuditRecord {
  readonly at: number;
  readonly action:
    | 'workspace.added'
    | 'workspace.changed'
    | 'workspace.removed'
    | 'token.created'
    | 'token.revoked'
    | 'share.created'
    | 'share.revoked'
    | 'ticket.issued'
    | 'agent.connected'
    | 'agent.disconnected'
    | 'agent.refused'
    | 'client.connected'
    | 'client.relayed'
    | 'git-key.fetched';
  /** Id of the token that did it; absent: the broker itself. */
  readonly actor?: string | undefined;
  /** Name of that token's holder. */
  readonly subject?: string | undefined;
  readonly workspaceId?: string | undefined;
  /** Id of the token, share link, ticket or session that it was about. */
  readonly object?: string | undefined;
  /** Network address it came from. */
  readonly source?: string | undefined;
  readonly detail?: string | undefined;
}

/** Reads and writes of one transaction; not to be used after it. */
export interface StoreTransaction {
  workspace(id: string): WorkspaceRecord | undefined;
  workspaceByName(name: string): WorkspaceRecord | undefined;
  /** In order of names. */
  workspaces(): WorkspaceRecord[];
  token(id: string): TokenRecord | undefined;
  tokenByHash(hash: string): TokenRecord | undefined;
  tokens(): TokenRecord[];
  /** Adds or replaces. A changed name frees the old one. */
  putWorkspace(record: WorkspaceRecord): void;
  removeWorkspace(id: string): void;
  putToken(record: TokenRecord): void;
  removeToken(id: string): void;
  share(id: string): ShareRecord | undefined;
  shareByHash(hash: string): ShareRecord | undefined;
  /** Those of one workspace, in no order that means anything; absent: of all. */
  shares(workspaceId?: string): ShareRecord[];
  putShare(record: ShareRecord): void;
  removeShare(id: string): void;
  audit(record: AuditRecord): void;
}

/**
 * What the broker remembers. An interface, since a store that several brokers share will follow;
 * nothing here assumes that this process is the only writer.
 */
export interface Store extends Closable {
  /** A consistent view; its writes throw. */
  read<T>(work: (transaction: StoreTransaction) => T): Promise<T>;
  /**
   * All writes of `work`, or, if it throws, none. On disk when it resolves. `work` has no effects
   * outside, as it may run more than once.
   */
  write<T>(work: (transaction: StoreTransaction) => T): Promise<T>;
  /** The newest records first. */
  auditLog(limit: number): Promise<AuditRecord[]>;
}
