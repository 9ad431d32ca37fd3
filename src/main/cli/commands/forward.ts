import type { Command } from 'commander';
import { Backoff, HoldfastError, limits, sleep } from '../../../shared/common/index.js';
import {
  formatEnd,
  parseForward,
  RemoteForwards,
  startLocalForward,
  type ForwardEnd,
  type ForwardSpec,
} from '../../client/forwards/index.js';
import { connectSsh, type SshConnection } from '../../client/ssh-client/index.js';
import type { Cli } from '../cli.js';
import { interruptible } from '../interrupt.js';
import { clientLog } from '../log.js';
import { asHoldfastError, formatError, oneLine } from '../output/index.js';
import { LINK_SETTINGS, openLink, workspaceName } from '../workspace-link.js';

interface Flags {
  readonly L?: readonly string[];
  readonly R?: readonly string[];
}

/** Trying again cannot help where the answer is about rights or names. */
const FATAL = new Set([
  'ERR_UNAUTHORIZED',
  'ERR_FORBIDDEN',
  'ERR_WORKSPACE_NOT_FOUND',
  'ERR_PEER_AUTH',
]);

/** `holdfast forward WORKSPACE -L/-R SPEC...` */
export function build(cli: Cli): Command {
  const command = cli
    .command('forward', 'Forwards ports and sockets until Ctrl-C.', LINK_SETTINGS, {
      notes: [
        'A SPEC reads as for ssh: [BIND:]PORT:HOST:HOSTPORT, with IPv6 addresses in brackets and a path\nwherever a unix socket is meant; port 0 takes a free one. A lost connection is taken up again.',
      ],
      examples: [
        ['holdfast forward local -L 8080:localhost:3000', 'a web server of the workspace, here'],
        ['holdfast forward local -R 9000:localhost:9000', 'a service of yours, there'],
        ['holdfast forward local -L 5432:/run/postgresql/.s.PGSQL.5432', 'a socket'],
        ['holdfast forward local -L 0:[::1]:80 -L 0:db:5432', 'several at once'],
      ],
      exits: ['ok', 'failure', 'usage', 'denied', 'unreachable', 'interrupted'],
    })
    .argument('<workspace>', 'name of the workspace')
    .option('-L <spec>', 'listen here, connect there; may be repeated', collect)
    .option('-R <spec>', 'listen there, connect here; may be repeated', collect);
  return command.action(async (workspace: string, flags: Flags) => {
    const specs = [
      ...(flags.L ?? []).map((text) => parseForward('local', text)),
      ...(flags.R ?? []).map((text) => parseForward('remote', text)),
    ];
    if (specs.length === 0) {
      throw new HoldfastError('ERR_INVALID_ARGUMENT', 'nothing to forward', {
        hint: 'Say what: -L 8080:localhost:3000, or -R. See `holdfast forward --help`.',
      });
    }
    const config = cli.config(command, LINK_SETTINGS);
    const name = workspaceName(workspace);
    const logger = clientLog(config);
    const say = (listening: ForwardEnd, spec: ForwardSpec): void => {
      const [from, to] = spec.direction === 'local' ? ['here', name] : [name, 'here'];
      const line = `${from} ${formatEnd(listening)} -> ${to} ${formatEnd(spec.connect)}`;
      cli.print(`${oneLine(line)}\n`);
    };
    await interruptible(async ({ signal, use }) => {
      const dial = async (): Promise<SshConnection> => {
        const link = await openLink(config, name, signal);
        try {
          const connection = await connectSsh(link.openChannel({ label: 'ssh', protocol: 'ssh' }), {
            hostKey: link.sshHostKey ?? '',
            username: 'holdfast',
            agentSocket: cli.env['SSH_AUTH_SOCK'],
            signal,
          });
          void connection.closed.then(() => link.close());
          return connection;
        } catch (error) {
          await link.close();
          throw error;
        }
      };
      const addRemote = async (connection: SshConnection, announce: boolean): Promise<void> => {
        const remote = new RemoteForwards(connection, logger);
        for (const spec of specs.filter(({ direction }) => direction === 'remote')) {
          const { listening } = await remote.add(spec);
          if (announce || (spec.listen.kind === 'tcp' && spec.listen.port === 0))
            say(listening, spec);
        }
      };
      let current = use(await dial());
      await addRemote(current, true);
      let ready: Promise<SshConnection> = Promise.resolve(current);
      for (const spec of specs.filter(({ direction }) => direction === 'local')) {
        const forward = use(await startLocalForward(spec, { connection: () => ready, logger }));
        say(forward.listening, spec);
      }
      cli.print('Ctrl-C ends this.\n');
      for (;;) {
        const reason = await current.closed;
        if (signal.aborted) return;
        const lost = reason ?? new HoldfastError('ERR_PEER_LOST', 'the agent ended the connection');
        process.stderr.write(`${formatError(lost).split('\n')[0] ?? ''}; reconnecting\n`);
        ready = redial(dial, signal);
        // Whoever waits for it hears of a failure itself; here it is thrown once more.
        ready.catch(() => undefined);
        current = use(await ready);
        await addRemote(current, false);
        process.stderr.write('holdfast: connected again\n');
      }
    });
  });
}

/** Dials until it works. @throws {HoldfastError} what cannot get better by waiting; ERR_CLOSED. */
async function redial(
  dial: () => Promise<SshConnection>,
  signal: AbortSignal,
): Promise<SshConnection> {
  const backoff = new Backoff({ minMs: limits.DIAL_MIN_MS, maxMs: limits.DIAL_MAX_MS });
  for (;;) {
    try {
      return await dial();
    } catch (error) {
      const failure = asHoldfastError(error);
      if (FATAL.has(failure.code) || signal.aborted) throw failure;
    }
    await sleep(backoff.next(), signal);
  }
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}
