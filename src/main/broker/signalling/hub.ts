import { HoldfastError } from '../../../shared/common/index.js';
import type { AgentLink } from './agent-link.js';
import type { ClientSession } from './client-session.js';

/** Who is connected to this broker now. */
export class Hub {
  /** By workspace; only links that have been welcomed. */
  readonly #agents = new Map<string, AgentLink>();
  /** All of them, welcomed or not. */
  readonly #links = new Set<AgentLink>();
  readonly #sessions = new Set<ClientSession>();

  get agents(): number {
    return this.#agents.size;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  agentOf(workspaceId: string): AgentLink | undefined {
    return this.#agents.get(workspaceId);
  }

  addLink(link: AgentLink): void {
    this.#links.add(link);
  }

  /** Makes `link` the one for its workspace. The newest wins: the older is often a dead connection. */
  agentReady(link: AgentLink): void {
    const older = this.#agents.get(link.workspaceId);
    this.#agents.set(link.workspaceId, link);
    older?.end(
      new HoldfastError('ERR_ALREADY_RUNNING', 'another agent of this workspace has connected'),
    );
  }

  removeLink(link: AgentLink): void {
    this.#links.delete(link);
    if (this.#agents.get(link.workspaceId) === link) this.#agents.delete(link.workspaceId);
  }

  addSession(session: ClientSession): void {
    this.#sessions.add(session);
  }

  removeSession(session: ClientSession): void {
    this.#sessions.delete(session);
  }

  /** Ends whatever rests on a token that is no longer good. */
  endToken(tokenId: string): void {
    const error = new HoldfastError('ERR_UNAUTHORIZED', 'the token was revoked');
    for (const link of [...this.#links]) if (link.tokenId === tokenId) link.end(error);
    for (const session of [...this.#sessions]) if (session.tokenId === tokenId) session.end(error);
  }

  /**
   * Ends what rests on share links of a workspace: sessions here, connections through its agent. False: no
   * agent is there to be told; it is when it comes back.
   */
  revokeShares(workspaceId: string, ids: readonly string[]): boolean {
    const error = new HoldfastError('ERR_SHARE_REVOKED', 'this link was revoked');
    for (const session of [...this.#sessions])
      if (session.tokenId !== undefined && ids.includes(session.tokenId)) session.end(error);
    const link = this.#agents.get(workspaceId);
    link?.revokeShares(ids);
    return link !== undefined;
  }

  endWorkspace(workspaceId: string): void {
    const error = new HoldfastError('ERR_WORKSPACE_NOT_FOUND', 'the workspace was removed');
    for (const link of [...this.#links]) if (link.workspaceId === workspaceId) link.end(error);
    for (const session of [...this.#sessions])
      if (session.workspaceId === workspaceId) session.end(error);
  }

  /** Ends everything because the broker stops. */
  shutdown(): void {
    for (const session of [...this.#sessions]) session.shutdown();
    for (const link of [...this.#links]) link.shutdown();
  }
}
