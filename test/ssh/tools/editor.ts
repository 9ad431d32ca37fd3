import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { waitFor, type RunningProgram } from '../../support/index.js';
import { freePort } from '../../support/ssh-harness.js';
import { opensshCommand } from '../clients/openssh.js';
import { listeners, type Listener } from '../network.js';
import { start } from '../run-command.js';
import type { Place, Tool } from '../types.js';
import { connectBySocks } from './socks.js';

const LINES = 600;
const STREAMS = 4;
const STREAM_BYTES = 262_144;
const ROUNDS = 20;

/** A server that echoes and says its port, as an editor's server does. */
const SERVER = [
  'const s = require("net").createServer({ allowHalfOpen: true }, (c) => c.on("error", () => {}).pipe(c))',
  's.listen(0, "127.0.0.1", () => console.log(`listening on ${s.address().port}`))',
].join('; ');

/** A long script as editors send it: it looks around, then starts a server that stays in the foreground. */
function script(mark: string): string {
  const steps = Array.from(
    { length: LINES - 4 },
    (_, line) => `step_${String(line)}() { true; }; # ${'look at the system '.repeat(3)}`,
  );
  return [
    `mark=${mark}`,
    'count=0',
    ...steps,
    'for step in $(declare -F | cut -d " " -f 3); do $step && count=$((count + 1)); done',
    `echo "steps $count"; exec ${process.execPath} -e '${SERVER}' ${mark}\n`,
  ].join('\n');
}

async function connectEditor(
  place: Place,
  mark: string,
): Promise<{ readonly running: RunningProgram; readonly socks: number; readonly port: number }> {
  const socks = await freePort();
  const flags = ['-T', '-D', `127.0.0.1:${String(socks)}`, place.alias, 'bash'];
  const running = start(place, opensshCommand(place, 'ssh', ...flags));
  running.child.stdin?.write(script(mark));
  const said = await waitFor(
    () =>
      /steps (\d+)\nlistening on (\d+)\n/.exec(running.stdout().toString()) ??
      (running.child.exitCode === null ? undefined : ['ended', '', running.stderr()]),
    { what: 'the server of the editor', timeoutMs: 60_000 },
  );
  assert.equal(said[1], String(LINES - 4), said[2]);
  return { running, socks, port: Number(said[2]) };
}

async function stream(socks: number, port: number): Promise<void> {
  const socket = await connectBySocks(socks, port);
  const sent = randomBytes(STREAM_BYTES);
  const chunks: Buffer[] = [];
  for await (const chunk of socket.end(sent)) chunks.push(chunk as Buffer);
  assert.ok(Buffer.concat(chunks).equals(sent), 'a stream through SOCKS came back changed');
}

/** Processes with the mark in their command line. */
function marked(mark: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
    } catch {
      return false;
    }
  });
}

/** An editor's way in: a script on standard input, then streams through SOCKS; killed and done again. */
export const editor: Tool = {
  name: 'editor',
  packages: ['openssh-client'],
  needs: ['ssh', 'bash'],
  run: async ({ place }) => {
    const servers: Listener[] = [];
    const mark = `editor-${randomUUID()}`;
    for (let round = 0; round < ROUNDS; round += 1) {
      const { running, socks, port } = await connectEditor(place, mark);
      const server = listeners().find((listener) => listener.port === port);
      assert.ok(server !== undefined, 'the server listens');
      servers.push(server);
      await Promise.all(Array.from({ length: STREAMS }, () => stream(socks, port)));
      // Half of them with streams under way.
      if (round % 2 === 1) (await connectBySocks(socks, port)).on('error', () => undefined);
      running.child.kill('SIGKILL');
      await running.ended;
    }
    await waitFor(() => marked(mark).length === 0, { what: 'the end of every server' });
    // A process that ends loses its command line before its descriptors. By inode: another program may have a port
    // by then.
    const isLeft = ({ inode }: Listener): boolean =>
      servers.some((server) => server.inode === inode);
    await waitFor(() => !listeners().some(isLeft), { what: 'the end of every listener' });
    return `${String(LINES)} lines on stdin of -T -D, ${String(STREAMS)} streams, ${String(ROUNDS)} times`;
  },
};
