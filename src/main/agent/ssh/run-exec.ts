import { limits, once } from '../../../shared/common/index.js';
import type { SpawnedCommand } from '../process/index.js';
import type { SshChannel } from './channel.js';
import type { Running } from './running.js';

/** Joins a command with pipes to its channel. Owns both from here on. */
export function runExec(channel: SshChannel, command: SpawnedCommand): Running {
  channel.pipe(command.stdin);
  command.stdin.once('close', () => {
    // The command reads no more; what the client still sends is dropped, so that its window goes on.
    channel.unpipe(command.stdin);
    channel.resume();
  });
  command.stdout.pipe(channel, { end: false });
  command.stderr.pipe(channel.stderr, { end: false });
  let exited = false;
  const end = once(() => command.end());
  channel.once('remote-close', () => {
    if (!exited) void end();
  });
  const ended = (async () => {
    const exit = await command.exited;
    exited = true;
    await outputTaken(command, channel);
    command.stdin.destroy();
    command.stdout.destroy();
    command.stderr.destroy();
    channel.finish(exit);
  })();
  return {
    resize: () => undefined,
    signal: (signal) => {
      command.signal(signal);
    },
    sendBreak: () => false,
    end,
    ended,
  };
}

/**
 * Resolves when the output of an ended command is in the channel: at the end of both pipes, or, when a
 * background process still holds them, once they were quiet for SSH_LINGER_MS. OpenSSH waits for the end
 * of the pipes however long that takes, which makes `ssh host 'server &'` hang; giving up at the exit
 * would lose the tail of `cmd > >(tee log)`. Time in which the client itself is what is slow does not
 * count, so no byte that was written before the exit is ever dropped.
 */
function outputTaken(command: SpawnedCommand, channel: SshChannel): Promise<void> {
  return new Promise((resolve) => {
    const { stdout, stderr } = command;
    let open = 2;
    let lastActive = performance.now();
    const active = (): void => {
      lastActive = performance.now();
    };
    const finish = (): void => {
      clearInterval(timer);
      stdout.off('data', active);
      stderr.off('data', active);
      resolve();
    };
    const timer = setInterval(() => {
      const waiting = channel.backlog + stdout.readableLength + stderr.readableLength;
      if (waiting > 0 && !channel.gone) active();
      else if (channel.gone || performance.now() - lastActive >= limits.SSH_LINGER_MS) finish();
    }, limits.SSH_LINGER_MS / 4);
    for (const stream of [stdout, stderr]) {
      const closed = (): void => {
        open -= 1;
        if (open === 0) finish();
      };
      if (stream.readableEnded || stream.destroyed) {
        closed();
      } else {
        let seen = false;
        const onEnd = (): void => {
          if (seen) return;
          seen = true;
          closed();
        };
        stream.on('data', active);
        stream.once('end', onEnd);
        stream.once('close', onEnd);
      }
    }
  });
}
