import type { ErrorCode } from '../../../shared/common/index.js';
import { Latencies } from './latencies.js';

/** What is timed. */
export const TIMED = [
  'connect',
  'create',
  'attach',
  'resume',
  'echo',
  'sshLogin',
  'sshEcho',
  'exec',
] as const;
export type Timed = (typeof TIMED)[number];

/** Something that must not happen, counted. */
export const FAULTS = [
  /** Bytes of output that never came, though nobody said so. */
  'lostBytes',
  'doubledBytes',
  'corruptLines',
  'lostKeys',
  'doubledKeys',
  'wrongKeys',
  /** Viewers of a terminal that was ended, who did not hear of it, or not of all its output. */
  'unfinished',
  /** Terminals that ended by themselves, or with another status than they should. */
  'wrongExits',
  /** Files that were not the same after a transfer. */
  'wrongFiles',
] as const;
export type Fault = (typeof FAULTS)[number];

/** What happened, and is no fault. */
export const EVENTS = [
  'created',
  'ended',
  'visits',
  'detaches',
  'resizes',
  'cuts',
  'skipped',
  'keys',
  'sshKeys',
  'execs',
  'statedGaps',
  'statedBytes',
  'receivedBytes',
  'checkedBytes',
  'sentFileBytes',
  'sentFileMs',
  'receivedFileBytes',
  'receivedFileMs',
] as const;
export type Event = (typeof EVENTS)[number];

/** Faults of which the particulars are kept; more would only say the same again. */
const MAX_SAMPLES = 8;

/** All that is counted and timed in one load. Bounded, however long it goes on. */
export class LoadFigures {
  readonly latencies: Readonly<Record<Timed, Latencies>> = byName(TIMED, () => new Latencies());
  readonly counts: Record<Event, number> = byName(EVENTS, () => 0);
  readonly faults: Record<Fault, number> = byName(FAULTS, () => 0);
  readonly errors = new Map<ErrorCode, { count: number; readonly example: string }>();
  /** Particulars of the first faults, one line each, for people. */
  readonly samples: string[] = [];

  fault(kind: Fault, amount: number, particulars: string): void {
    this.faults[kind] += amount;
    if (this.samples.length < MAX_SAMPLES) this.samples.push(particulars);
  }

  /** Something was refused or went wrong, and the load goes on. */
  error(code: ErrorCode, message: string): void {
    const known = this.errors.get(code);
    if (known === undefined) this.errors.set(code, { count: 1, example: message });
    else known.count += 1;
  }

  /** Whether anything happened that must not. */
  get isFaulty(): boolean {
    return FAULTS.some((kind) => this.faults[kind] > 0);
  }
}

function byName<K extends string, T>(names: readonly K[], make: () => T): Record<K, T> {
  return Object.fromEntries(names.map((name) => [name, make()])) as Record<K, T>;
}
