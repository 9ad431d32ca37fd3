import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import { HoldfastError, limits, systemClock, type Timer } from '../../../shared/common/index.js';
import { pipe, type PipeTotals } from './pipe.js';

/** Address of a relay; the secret in it was sent to its two sides only. */
export const RELAY_PATH = '/api/v1/relay/';

export type RelaySide = 'agent' | 'client';

interface Relay {
  readonly workspaceId: string;
  readonly tokenId: string;
  readonly sides: Partial<Record<RelaySide, WebSocket>>;
  readonly wait: Timer;
}

export interface RelayOwner {
  readonly workspaceId: string;
  /** Token or share link of the client. */
  readonly tokenId: string;
}

/** The relays of this broker: each pairs one agent with one client, once. */
export class Relays {
  readonly #relays = new Map<string, Relay>();
  readonly #onEnd: (totals: PipeTotals) => void;

  constructor(onEnd: (totals: PipeTotals) => void) {
    this.#onEnd = onEnd;
  }

  get size(): number {
    return this.#relays.size;
  }

  /** The path for both sides to open. @throws {HoldfastError} ERR_PEER_LIMIT. */
  create({ workspaceId, tokenId }: RelayOwner): string {
    let ofWorkspace = 0;
    for (const relay of this.#relays.values())
      if (relay.workspaceId === workspaceId) ofWorkspace += 1;
    if (this.#relays.size >= limits.RELAYS || ofWorkspace >= limits.RELAYS_PER_WORKSPACE)
      throw new HoldfastError('ERR_PEER_LIMIT', 'too many relays are in use');
    const id = randomBytes(32).toString('base64url');
    const wait = systemClock.after(limits.RELAY_PAIR_MS, () => {
      this.#cut(id);
    });
    this.#relays.set(id, { workspaceId, tokenId, sides: {}, wait });
    return RELAY_PATH + id;
  }

  /** Whether `side` may still come to relay `id`; for an agent, only that of its workspace. */
  expects(id: string, side: RelaySide, workspaceId?: string): boolean {
    const relay = this.#relays.get(id);
    if (relay === undefined || relay.sides[side] !== undefined) return false;
    return side === 'client' || relay.workspaceId === workspaceId;
  }

  /** Takes the socket of one side; with both there, they are one pipe. Checked again, as time passed. */
  attach(id: string, side: RelaySide, socket: WebSocket, workspaceId?: string): void {
    const relay = this.#relays.get(id);
    if (relay === undefined || !this.expects(id, side, workspaceId)) {
      socket.close(1008, 'ERR_NOT_FOUND');
      return;
    }
    // Until the other side is there nothing is read; what was sent already waits in the kernel.
    socket.pause();
    relay.sides[side] = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const lone = this.#forget(id);
      if (lone !== undefined && !isPaired(lone)) for (const one of socketsOf(lone)) one.terminate();
    });
    const { agent, client } = relay.sides;
    if (agent === undefined || client === undefined) return;
    relay.wait.cancel();
    pipe(agent, client, this.#onEnd);
  }

  /** Cuts the relays of a token or share link, those that are there after `graceMs` as well. */
  endToken(tokenId: string, graceMs = 0): void {
    for (const [id, relay] of this.#relays) {
      if (relay.tokenId !== tokenId) continue;
      if (graceMs === 0 || !isPaired(relay)) {
        this.#cut(id);
        continue;
      }
      const late = systemClock.after(graceMs, () => {
        this.#cut(id);
      });
      for (const socket of socketsOf(relay))
        socket.once('close', () => {
          late.cancel();
        });
    }
  }

  endWorkspace(workspaceId: string): void {
    for (const [id, relay] of this.#relays) if (relay.workspaceId === workspaceId) this.#cut(id);
  }

  shutdown(): void {
    for (const id of [...this.#relays.keys()]) this.#cut(id);
  }

  /** Ends it at once, with what is queued: it timed out, or its right to exist has ended. */
  #cut(id: string): void {
    const relay = this.#forget(id);
    if (relay !== undefined) for (const socket of socketsOf(relay)) socket.terminate();
  }

  /** Its place is free. Two sides close each other through their pipe, which delivers what is queued. */
  #forget(id: string): Relay | undefined {
    const relay = this.#relays.get(id);
    this.#relays.delete(id);
    relay?.wait.cancel();
    return relay;
  }
}

function isPaired({ sides }: Relay): boolean {
  return sides.agent !== undefined && sides.client !== undefined;
}

function socketsOf({ sides }: Relay): WebSocket[] {
  return [sides.agent, sides.client].filter((socket) => socket !== undefined);
}
