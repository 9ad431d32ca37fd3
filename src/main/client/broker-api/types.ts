import type { AbortOptions } from '../../../shared/common/index.js';
import type {
  ShareCreated,
  ShareInfo,
  ShareInput,
  TicketResponse,
  TokenCreated,
  TokenInfo,
  TokenInput,
  WhoAmI,
  WorkspaceAdded,
  WorkspaceInfo,
  WorkspaceInput,
  WorkspacePatch,
} from '../../../shared/common/wire/index.js';

export interface BrokerApiOptions {
  /** Origin of the broker. */
  readonly brokerUrl: string;
  readonly token: string;
  /** For one request, in milliseconds. Default 15 s. */
  readonly timeoutMs?: number;
}

export interface TicketOptions extends AbortOptions {
  /** The client's ephemeral key, 32 bytes in base64url. */
  readonly publicKey: string;
  /** Narrower than the token allows. Absent: all that it allows. */
  readonly scopes?: readonly string[];
}

/**
 * The broker's HTTP API with one token. Every method rejects with a HoldfastError: ERR_BROKER_UNREACHABLE,
 * ERR_UNAUTHORIZED, ERR_CLOSED on abort, or the code that the broker gave.
 */
export interface BrokerApi {
  whoami(options?: AbortOptions): Promise<WhoAmI>;
  listWorkspaces(options?: AbortOptions): Promise<WorkspaceInfo[]>;
  /** @throws {HoldfastError} ERR_WORKSPACE_EXISTS. */
  addWorkspace(input: WorkspaceInput, options?: AbortOptions): Promise<WorkspaceAdded>;
  updateWorkspace(
    name: string,
    patch: WorkspacePatch,
    options?: AbortOptions,
  ): Promise<WorkspaceInfo>;
  /** Ends its agent's link and its tokens too. @throws {HoldfastError} ERR_WORKSPACE_NOT_FOUND. */
  removeWorkspace(name: string, options?: AbortOptions): Promise<void>;
  /** A new agent token in place of the old; with `forgetKey`, the next agent may bring a new key. */
  renewAgentToken(
    name: string,
    options?: AbortOptions & { readonly forgetKey?: boolean },
  ): Promise<WorkspaceAdded>;
  listTokens(options?: AbortOptions): Promise<TokenInfo[]>;
  createToken(input: TokenInput, options?: AbortOptions): Promise<TokenCreated>;
  revokeToken(id: string, options?: AbortOptions): Promise<void>;
  /** The share links of one workspace, or of all that the token owns, newest first. */
  listShares(options?: AbortOptions & { readonly workspace?: string }): Promise<ShareInfo[]>;
  /** @throws {HoldfastError} ERR_FORBIDDEN unless the token owns the workspace, ERR_AGENT_OFFLINE. */
  createShare(input: ShareInput, options?: AbortOptions): Promise<ShareCreated>;
  /** Whoever is connected through it is out at once. @throws {HoldfastError} ERR_NOT_FOUND. */
  revokeShare(id: string, options?: AbortOptions): Promise<void>;
  /** With a token, or the secret of a share link. @throws {HoldfastError} ERR_WORKSPACE_NOT_FOUND, ERR_FORBIDDEN. */
  getTicket(workspace: string, options: TicketOptions): Promise<TicketResponse>;
}
