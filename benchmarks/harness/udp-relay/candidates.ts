import type { LinkEnd } from './udp-relay.js';

/** `candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host ...`, with `a=` before it in an SDP. */
const CANDIDATE = /^((?:a=)?candidate:\S+ \d+ )(\S+)( \d+ )(\S+) (\d+)( typ )(\S+)(.*)$/i;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const HERE = '127.0.0.1';

/**
 * Stands in the signalling between two WebRTC ends and shows each the relay's port in place of the other's addresses:
 * of each end the first IPv4 host candidate for UDP is told, with the relay's address in it, and all others are left
 * out, so that there is no other path. What is told of an end is seen by the other.
 */
export class CandidateRewriter {
  readonly #ports: Readonly<Record<LinkEnd, number>>;
  readonly #onEnd: (end: LinkEnd, address: string, port: number) => void;
  /** The candidate of each end that was told: it may come twice, in the SDP and by itself. */
  readonly #told = new Map<LinkEnd, string>();

  /** @param ports Where each end sends to reach the other one. @param onEnd Learns where an end is. */
  constructor(
    ports: Readonly<Record<LinkEnd, number>>,
    onEnd: (end: LinkEnd, address: string, port: number) => void,
  ) {
    this.#ports = ports;
    this.#onEnd = onEnd;
  }

  /** A candidate of `end` as the other end may see it. Absent: it may not. */
  candidate(end: LinkEnd, text: string): string | undefined {
    const [
      ,
      head = '',
      protocol = '',
      priority = '',
      address = '',
      port = '',
      typ = '',
      type = '',
    ] = CANDIDATE.exec(text) ?? [];
    const isUsable = protocol.toLowerCase() === 'udp' && IPV4.test(address) && type === 'host';
    if (!isUsable) return undefined;
    const place = `${address} ${port}`;
    const told = this.#told.get(end);
    if (told !== undefined && told !== place) return undefined;
    if (told === undefined) {
      this.#told.set(end, place);
      this.#onEnd(end, address, Number(port));
    }
    const rest = CANDIDATE.exec(text)?.[8] ?? '';
    // What `end` is to the other one is where the other one sends to.
    const shown = this.#ports[end === 'a' ? 'b' : 'a'];
    return `${head}${protocol}${priority}${HERE} ${String(shown)}${typ}${type}${rest}`;
  }

  /** The SDP of `end` as the other end may see it. */
  sdp(end: LinkEnd, text: string): string {
    return text
      .split('\r\n')
      .map((line) => (/^a=candidate:/i.test(line) ? this.candidate(end, line) : line))
      .filter((line) => line !== undefined)
      .join('\r\n');
  }
}
