/** Where the key of each workspace's agent is kept, so that another one in its place is noticed. */
const key = (workspace: string): string => `holdfast.agent-key.${workspace}`;

/** The key that the agent of `workspace` had before. Absent: never connected. */
export function pinnedAgentKey(workspace: string): string | undefined {
  return localStorage.getItem(key(workspace)) ?? undefined;
}

/** From now on only this key is accepted for `workspace`. */
export function pinAgentKey(workspace: string, agentKey: string): void {
  localStorage.setItem(key(workspace), agentKey);
}

/** A public key in the form people compare: SHA-256 in base64, as OpenSSH prints it. */
export async function fingerprint(publicKey: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(publicKey));
  return `SHA256:${btoa(String.fromCharCode(...new Uint8Array(digest))).replace(/=+$/, '')}`;
}
