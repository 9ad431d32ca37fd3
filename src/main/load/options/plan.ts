import { randomInt } from 'node:crypto';
import { HoldfastError, limits } from '../../../shared/common/index.js';
import { PACES, type Pace } from '../../../shared/common/wire/index.js';
import { nearest } from '../../cli/config/index.js';
import {
  readCount,
  readFrequency,
  readOutput,
  readSize,
  readTerminals,
  readTime,
  wrong,
  type Frequency,
  type TerminalGroup,
} from './parse.js';
import { DEFAULTS, PROFILES, type RawOptions } from './profiles.js';

/** What comes and goes during a load. Absent: nothing of that kind. */
export interface Churn {
  /** Visitors that attach, look and leave. */
  readonly attach: Frequency | undefined;
  /** Viewers that leave and come back. */
  readonly detach: Frequency | undefined;
  readonly resize: Frequency | undefined;
  /** Connections that are cut. */
  readonly reconnect: Frequency | undefined;
  /** Terminals that are ended and replaced by new ones. */
  readonly create: Frequency | undefined;
}

/** What a load does, checked. */
export interface LoadPlan {
  readonly groups: readonly TerminalGroup[];
  /** Of all groups together, without those that are typed into. */
  readonly terminals: number;
  /** Of each terminal. */
  readonly viewers: number;
  readonly connections: number;
  /** Absent: what the agent does by itself. */
  readonly pace: Pace | undefined;
  /** Terminals that are typed into. */
  readonly echo: number;
  /** SSH sessions that are typed into. */
  readonly ssh: number;
  /** Between two keys of one of them. */
  readonly keyEveryMs: number;
  /** Commands over SSH. */
  readonly exec: Frequency | undefined;
  /** Size of the file that is sent again and again. Absent: none is. */
  readonly sftpUpBytes: number | undefined;
  readonly sftpDownBytes: number | undefined;
  readonly churn: Churn;
  /** From when all is set up; 0: until somebody ends it. */
  readonly durationMs: number;
  readonly seed: number;
  /** Stated gaps are failures too. */
  readonly strict: boolean;
}

/** Channels that visitors, transfers and the connection itself need beside those of viewers. */
const SPARE_CHANNELS = 16;
/** Terminals that one person has on one connection, unless said otherwise. */
const TERMINALS_PER_CONNECTION = 100;
const MAX_CONNECTIONS = limits.PEERS - 8;
const MAX_SSH = 500;
const MAX_FILE_BYTES = 1_024 * limits.MIB;

/**
 * The plan that `given` makes with the profile of that name, if any, and the defaults.
 * @throws {HoldfastError} ERR_INVALID_ARGUMENT, naming the option.
 */
export function makePlan(given: RawOptions, profileName?: string): LoadPlan {
  const raw: RawOptions = { ...DEFAULTS, ...profileOptions(profileName), ...given };
  const output = readOutput('--rate', raw.rate ?? '');
  const groups = readTerminals('--terminals', raw.terminals ?? '', output);
  const terminals = groups.reduce((sum, { count }) => sum + count, 0);
  const viewers = readCount('--viewers', raw.viewers ?? '', 0, limits.MAX_VIEWERS);
  const echo = readCount('--echo', raw.echo ?? '', 0, limits.MAX_TERMINALS);
  const ssh = readCount('--ssh', raw.ssh ?? '', 0, MAX_SSH);
  const shape = { terminals: terminals + echo, viewers, ssh };
  const plan: LoadPlan = {
    groups,
    terminals,
    viewers,
    echo,
    ssh,
    connections: connectionsFor(shape, raw.connections),
    pace: readPace(raw.pace),
    keyEveryMs: readKeys(raw.keys ?? ''),
    exec: countOnly('--exec', raw.exec),
    sftpUpBytes: readFileSize('--sftp-up', raw.sftpUp),
    sftpDownBytes: readFileSize('--sftp-down', raw.sftpDown),
    churn: {
      attach: frequency('--attach-churn', raw.attachChurn),
      detach: frequency('--detach', raw.detach),
      resize: frequency('--resize', raw.resize),
      reconnect: frequency('--reconnect', raw.reconnect),
      create: frequency('--create-churn', raw.createChurn),
    },
    durationMs: readTime('--duration', raw.duration ?? ''),
    seed:
      raw.seed === undefined
        ? randomInt(1, 2 ** 31)
        : readCount('--seed', raw.seed, 1, 2 ** 32 - 1),
    strict: raw.strict === true,
  };
  requireWork(plan);
  return plan;
}

/**
 * On which connection viewer `viewer` of terminal `terminal` is: as if each viewer of a terminal were another
 * person, who has all of the terminals, on as many connections as there are for each.
 */
export function connectionOf(
  { connections, viewers }: Pick<LoadPlan, 'connections' | 'viewers'>,
  terminal: number,
  viewer: number,
): number {
  const each = Math.max(1, Math.ceil(connections / Math.max(1, viewers)));
  return (viewer * each + (terminal % each)) % connections;
}

function profileOptions(name: string | undefined): RawOptions {
  if (name === undefined) return {};
  const profile = Object.hasOwn(PROFILES, name) ? PROFILES[name] : undefined;
  if (profile !== undefined) return profile.options;
  const names = Object.keys(PROFILES);
  const near = nearest(name, names);
  throw new HoldfastError(
    'ERR_INVALID_ARGUMENT',
    `there is no profile ${JSON.stringify(name.slice(0, 80))}`,
    { hint: near === undefined ? `One of ${names.join(', ')}.` : `Did you mean ${near}?` },
  );
}

/** The connections that were asked for, or that it takes. */
function connectionsFor(
  shape: { readonly terminals: number; readonly viewers: number; readonly ssh: number },
  text: string | undefined,
): number {
  const { terminals, viewers, ssh } = shape;
  const perPerson = Math.max(1, Math.ceil(terminals / TERMINALS_PER_CONNECTION));
  const usual = Math.max(1, perPerson * viewers);
  const connections =
    text === undefined
      ? Math.min(MAX_CONNECTIONS, usual)
      : readCount('--connections', text, 1, MAX_CONNECTIONS);
  const channels = Math.ceil((terminals * viewers) / connections) + Math.ceil(ssh / connections);
  if (channels + SPARE_CHANNELS > limits.CHANNELS_PER_PEER) {
    const room = limits.CHANNELS_PER_PEER - SPARE_CHANNELS;
    const needed = Math.ceil((terminals * viewers + ssh) / room);
    const what = `${String(terminals)} terminals with ${String(viewers)} viewers each`;
    throw new HoldfastError(
      'ERR_INVALID_ARGUMENT',
      `${what} do not fit on ${String(connections)} connections of ${String(room)} channels`,
      {
        hint:
          needed > MAX_CONNECTIONS
            ? `An agent takes ${String(MAX_CONNECTIONS)} connections: have fewer terminals or viewers.`
            : `Give --connections ${String(needed)} or more.`,
      },
    );
  }
  return connections;
}

function readPace(text: string | undefined): Pace | undefined {
  if (text === undefined) return undefined;
  const pace = PACES.find((each) => each === text);
  if (pace === undefined) throw wrong('--pace', text, `must be one of ${PACES.join(', ')}`);
  return pace;
}

/** Milliseconds between keys. */
function readKeys(text: string): number {
  const often = countOnly('--keys', text);
  if (often?.kind !== 'count') throw wrong('--keys', text, 'must be more than none, such as 10/s');
  return often.everyMs / often.count;
}

function frequency(flag: string, text: string | undefined): Frequency | undefined {
  return text === undefined ? undefined : readFrequency(flag, text);
}

function countOnly(flag: string, text: string | undefined): Frequency | undefined {
  const found = frequency(flag, text);
  if (found?.kind !== 'share') return found;
  throw wrong(flag, text ?? '', 'must be so many in a time, such as 5/s');
}

function readFileSize(flag: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '0') return undefined;
  const bytes = readSize(flag, text);
  if (bytes < 1 || bytes > MAX_FILE_BYTES) throw wrong(flag, text, 'must be from 1B to 1GiB');
  return bytes;
}

function requireWork({ terminals, viewers, echo, ssh, exec, ...plan }: LoadPlan): void {
  const { sftpUpBytes, sftpDownBytes, churn } = plan;
  const transfers = exec ?? sftpUpBytes ?? sftpDownBytes;
  if (terminals + echo + ssh === 0 && transfers === undefined) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', 'there is nothing to do', {
      hint: 'Give --terminals, --ssh, --exec, --sftp-up or --sftp-down.',
    });
  }
  if (echo > 0 && viewers === 0) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', '--echo needs viewers, who type', {
      hint: 'Give --viewers 1.',
    });
  }
  const needTerminals = [churn.attach, churn.create].some((each) => each !== undefined);
  const needViewers = [churn.detach, churn.resize].some((each) => each !== undefined);
  if ((needTerminals && terminals === 0) || (needViewers && terminals * viewers === 0)) {
    throw new HoldfastError('ERR_INVALID_ARGUMENT', 'there is nobody to come and go', {
      hint: '--detach and --resize need viewers, --attach-churn and --create-churn need terminals.',
    });
  }
}
