import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { IceCandidate } from '../../../src/shared/common/wire/index.js';

const PARTS = /^(candidate:\S+ \d+ \S+ \d+) (\S+) (\d+) (.*)$/;

/**
 * The only path between two ends of a WebRTC connection in this process: each is told of the other's IPv4 address
 * as a port of ours, and what comes there is passed on until it is cut. Candidates of other kinds are left out.
 */
export class UdpPath {
  readonly #sides = { client: createSocket('udp4'), server: createSocket('udp4') };
  /** Where each end really is. */
  readonly #ends: { client?: Address; server?: Address } = {};
  #isCut = false;
  readonly #filter: PathFilter;
  readonly #delayMs: number;

  /** @param delayMs each way. */
  constructor(filter: PathFilter = (datagram) => [datagram], delayMs = 0) {
    this.#filter = filter;
    this.#delayMs = delayMs;
  }

  async open(): Promise<void> {
    for (const [side, socket] of Object.entries(this.#sides) as [Side, Socket][]) {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      // What the client sends to the port that stands for the server comes in here.
      socket.on('message', (datagram, from) => {
        this.#pass(datagram, from, side);
      });
    }
  }

  /** The candidate of `owner` as the other end shall see it. Absent: it is left out. */
  rewrite(candidate: IceCandidate, owner: Side): IceCandidate | undefined {
    const [, head, host = '', port, rest] = PARTS.exec(candidate.candidate) ?? [];
    if (head === undefined || !/^[0-9.]+$/.test(host) || host === '127.0.0.1') return undefined;
    if (this.#ends[owner] !== undefined) return undefined;
    this.#ends[owner] = { host, port: Number(port) };
    const { port: ours } = this.#sides[owner].address();
    return { ...candidate, candidate: `${head} 127.0.0.1 ${String(ours)} ${rest ?? ''}` };
  }

  /** From now on nothing arrives anywhere, as if the machine of one end had lost power. */
  cut(): void {
    this.#isCut = true;
  }

  close(): void {
    this.#isCut = true;
    for (const socket of Object.values(this.#sides)) socket.close();
  }

  /** Sends a datagram to an end, as anybody could who knows its port. */
  inject(datagram: Buffer, to: Side): void {
    const end = this.#ends[to];
    if (end !== undefined) this.#sides[other(to)].send(datagram, end.port, end.host);
  }

  #pass(datagram: Buffer, from: { address: string; port: number }, standsFor: Side): void {
    const sender = other(standsFor);
    // Checks show the true address, before or after its candidate.
    this.#ends[sender] ??= { host: from.address, port: from.port };
    const end = this.#ends[standsFor];
    if (this.#isCut || end === undefined) return;
    for (const each of this.#filter(datagram, standsFor)) {
      const pass = (): void => {
        if (!this.#isCut) this.#sides[sender].send(each, end.port, end.host);
      };
      if (this.#delayMs === 0) pass();
      else setTimeout(pass, this.#delayMs);
    }
  }
}

export type Side = 'client' | 'server';

/** Sees every datagram; returns what is passed on. */
export type PathFilter = (datagram: Buffer, to: Side) => readonly Buffer[];

interface Address {
  readonly host: string;
  readonly port: number;
}

function other(side: Side): Side {
  return side === 'client' ? 'server' : 'client';
}
