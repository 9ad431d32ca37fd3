import { HoldfastError, type Closable } from '../../../shared/common/index.js';
import { Repeater } from '../churn/index.js';
import type { LoadFigures } from '../figures/index.js';
import type { LoadPlan } from '../options/index.js';
import { Slots, type Peer } from '../peers/index.js';
import type { Random } from '../random.js';
import { Commands } from './commands.js';
import { SshKeeper, type SshKeeperOptions } from './ssh-keeper.js';
import { SshTypist } from './ssh-typist.js';
import { Transfer } from './transfer.js';

/** SSH connections that are made at a time: a handshake is work for both ends. */
const LOGINS_AT_ONCE = 4;
/** SSH connections over which commands run. */
const COMMAND_CONNECTIONS = 4;

export interface StartSshOptions {
  readonly plan: LoadPlan;
  readonly peers: readonly Peer[];
  readonly figures: LoadFigures;
  readonly random: Random;
  /** Part of the names of files. */
  readonly run: string;
  readonly isLocal: boolean;
  readonly agentSocket: string | undefined;
  /** Ends all waits. */
  readonly signal: AbortSignal;
  /** Nothing new is to be begun. */
  readonly stop: AbortSignal;
  /** Has a part closed at the end. */
  readonly use: <C extends Closable>(part: C) => C;
}

/**
 * Starts what the plan has over SSH; each part begins to act at once.
 * @throws {HoldfastError} why a session or transfer cannot be.
 */
export async function startSsh(options: StartSshOptions): Promise<void> {
  const { plan, peers, figures, random, run, isLocal, agentSocket, signal, stop, use } = options;
  const on = (index: number): SshKeeperOptions => ({
    peer: peers[index % peers.length] as Peer,
    figures,
    isLocal,
    agentSocket,
    signal,
  });

  const transfers = (['up', 'down'] as const).flatMap((direction, index) => {
    const bytes = direction === 'up' ? plan.sftpUpBytes : plan.sftpDownBytes;
    if (bytes === undefined) return [];
    const name = `load-${run}-${direction}`;
    return [use(new Transfer({ ...on(index), direction, bytes, name, stop }))];
  });
  const logins = new Slots(LOGINS_AT_ONCE);
  const start = (part: { start(): Promise<void> }): Promise<void> =>
    logins.run(async () => {
      if (stop.aborted) throw new HoldfastError('ERR_CLOSED', 'the load is being ended');
      await part.start();
    });
  await Promise.all(transfers.map(start));

  const { keyEveryMs } = plan;
  const typists = Array.from({ length: plan.ssh }, (_, index) =>
    use(new SshTypist({ ...on(index), keyEveryMs, phase: random(), stop })),
  );
  await Promise.all(typists.map(start));

  if (plan.exec === undefined) return;
  const keepers = peers.slice(0, COMMAND_CONNECTIONS).map((_, index) => new SshKeeper(on(index)));
  const commands = use(new Commands({ keepers, figures, random }));
  const repeater = new Repeater({
    frequency: plan.exec,
    population: () => 1,
    random,
    act: () => commands.run(),
    onSkipped: () => {
      figures.counts.skipped += 1;
    },
  });
  use(repeater).start();
}
