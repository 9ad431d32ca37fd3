/**
 * Session descriptions for data channels and nothing else. What comes from the other end is read strictly and
 * written anew before the library sees it, whose parser takes far more, and which ends the process where it
 * finds out too late.
 */
import { isIP } from 'node:net';
import { HoldfastError, limits } from '../../../common/index.js';

/** What a description of a data connection says. */
export interface SdpFacts {
  readonly ufrag: string;
  readonly password: string;
  /** SHA-256 of the certificate, upper-case hex with colons. */
  readonly fingerprint: string;
  readonly setup: 'actpass' | 'active' | 'passive';
  readonly mid: string;
  readonly sctpPort: number;
  readonly maxMessageSize: number;
  /** `candidate:...`, without those that name no IP address. */
  readonly candidates: readonly string[];
}

const MAX_CANDIDATES = 64;
const MAX_CANDIDATE_LENGTH = 400;
/** Where a description does not say it, RFC 8841 section 6.1. */
const DEFAULT_MAX_MESSAGE_SIZE = 65_536;
const DEFAULT_SCTP_PORT = 5_000;
const CANDIDATE =
  /^candidate:[A-Za-z0-9+/]{1,64} [0-9]{1,3} [A-Za-z-]{1,16} [0-9]{1,10} (\S+) ([0-9]{1,5}) typ (?:host|srflx|prflx|relay)(?: [\x20-\x7e]*)?$/;

/** @throws {HoldfastError} ERR_PROTOCOL naming what is wrong with it. */
export function readSdp(sdp: string): SdpFacts {
  const lines = sdp.split(/\r?\n/);
  const media = lines.filter((line) => line.startsWith('m='));
  if (
    media.length !== 1 ||
    !/^m=application [0-9]+ \S*SCTP webrtc-datachannel$/.test(media[0] ?? '')
  )
    throw malformed('it must have one section, for data channels');
  const values = (name: string): string[] =>
    lines
      .filter((line) => line.startsWith(`a=${name}:`))
      .map((line) => line.slice(name.length + 3));
  const one = (name: string, pattern: RegExp): string => {
    const value = values(name)[0] ?? '';
    if (!pattern.test(value)) throw malformed(name);
    return value;
  };
  const number = (name: string, fallback: number): number => {
    const value = values(name)[0] ?? String(fallback);
    if (!/^[0-9]{1,10}$/.test(value)) throw malformed(name);
    return Number(value);
  };
  const fingerprint = values('fingerprint').find((value) => /^sha-256 /i.test(value)) ?? '';
  if (!/^sha-256 (?:[0-9a-f]{2}:){31}[0-9a-f]{2}$/i.test(fingerprint))
    throw malformed('fingerprint');
  const sctpPort = number('sctp-port', DEFAULT_SCTP_PORT);
  if (sctpPort < 1 || sctpPort > 65_535) throw malformed('sctp-port');
  return {
    ufrag: one('ice-ufrag', /^[A-Za-z0-9+/]{4,256}$/),
    password: one('ice-pwd', /^[A-Za-z0-9+/]{22,256}$/),
    fingerprint: fingerprint.slice('sha-256 '.length).toUpperCase(),
    setup: one('setup', /^(?:actpass|active|passive)$/) as SdpFacts['setup'],
    mid: one('mid', /^[A-Za-z0-9_-]{1,16}$/),
    sctpPort,
    maxMessageSize: number('max-message-size', DEFAULT_MAX_MESSAGE_SIZE),
    candidates: lines
      .filter((line) => line.startsWith('a=candidate:'))
      .flatMap((line) => readCandidate(line) ?? [])
      .slice(0, MAX_CANDIDATES),
  };
}

export function writeSdp(facts: SdpFacts): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${facts.mid}`,
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${facts.ufrag}`,
    `a=ice-pwd:${facts.password}`,
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${facts.fingerprint}`,
    `a=setup:${facts.setup}`,
    `a=mid:${facts.mid}`,
    `a=sctp-port:${String(facts.sctpPort)}`,
    `a=max-message-size:${String(facts.maxMessageSize)}`,
    ...facts.candidates.map((candidate) => `a=${candidate}`),
    '',
  ].join('\r\n');
}

/**
 * A candidate without the `a=` before it. Absent: it is malformed, or names a host instead of an address, as
 * browsers do to hide theirs; the library would ask the network for it.
 */
export function readCandidate(text: string): string | undefined {
  const candidate = text.startsWith('a=') ? text.slice(2) : text;
  if (candidate.length > MAX_CANDIDATE_LENGTH) return undefined;
  const [, address = '', port = ''] = CANDIDATE.exec(candidate) ?? [];
  return isIP(address) !== 0 && Number(port) <= 65_535 ? candidate : undefined;
}

/** The library is told of one byte more than is allowed, so that what is longer shows instead of being cut. */
export const LIBRARY_MESSAGE_BYTES = limits.MESSAGE_BYTES + 1;

function malformed(what: string): HoldfastError {
  return new HoldfastError('ERR_PROTOCOL', `unusable session description: ${what}`);
}
