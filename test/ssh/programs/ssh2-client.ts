/** The client of ssh2; its arguments are those of test/ssh/clients/program.ts. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import ssh2, { type Client, type ClientChannel, type SFTPWrapper } from 'ssh2';

const [host = '', port = '', user = '', key = '-', known = '', mode = '', ...args] =
  process.argv.slice(2);
const [first = '', second = ''] = args;

try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 254;
}
// Standard input that nobody ends would hold the process.
process.stdin.destroy();

async function run(): Promise<number> {
  const client = new ssh2.Client();
  const [, , hostKey = ''] = readFileSync(known, 'utf8').trim().split(' ');
  const ready = once(client, 'ready');
  client.connect({
    host,
    port: Number(port),
    username: user,
    hostVerifier: (offered: Buffer) => offered.toString('base64') === hostKey,
    ...(key === '-' ? {} : { privateKey: readFileSync(key) }),
  });
  await ready;
  const status = await serve(client);
  client.end();
  return status;
}

function serve(client: Client): Promise<number> {
  switch (mode) {
    case 'exec':
      return runSession((done) => client.exec(first, done));
    case 'shell':
      return runSession((done) =>
        client.shell({ term: 'xterm', rows: Number(first), cols: Number(second) }, done),
      );
    case 'local':
      return local(client, Number(first), Number(second));
    case 'remote':
      return remote(client, Number(first), Number(second));
    case 'sftp':
      return files(client);
    default:
      throw new Error('unknown mode');
  }
}

type Open = (done: (error: Error | undefined, channel: ClientChannel) => void) => void;

/**
 * Within the callback, not after it: the exit status may come in the same packet as the answer to the request, and
 * `exit` is told before anything that waits for a promise runs.
 */
function runSession(open: Open): Promise<number> {
  return new Promise((resolve, reject) => {
    open((error, channel) => {
      if (error === undefined) resolve(interact(channel));
      else reject(error);
    });
  });
}

function openChannel(open: Open): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    open((error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
}

async function interact(channel: ClientChannel): Promise<number> {
  let status = 254;
  channel.on('exit', (code: number | null) => (status = code ?? 254));
  process.stdin.pipe(channel);
  channel.pipe(process.stdout);
  channel.stderr.pipe(process.stderr);
  await once(channel, 'close');
  return status;
}

function splice(channel: ClientChannel, socket: Socket): void {
  for (const stream of [channel, socket]) stream.on('error', () => undefined);
  channel.pipe(socket).pipe(channel);
}

async function local(client: Client, listen: number, target: number): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    openChannel((done) => client.forwardOut('127.0.0.1', 0, '127.0.0.1', target, done)).then(
      (channel) => splice(channel, socket),
      () => socket.destroy(),
    );
  });
  server.listen(listen, '127.0.0.1');
  await once(client, 'close');
  return 0;
}

async function remote(client: Client, listen: number, target: number): Promise<number> {
  client.on('tcp connection', (_details, accept) => {
    splice(accept(), connect({ port: target, host: '127.0.0.1', allowHalfOpen: true }));
  });
  await new Promise<void>((resolve, reject) => {
    client.forwardIn('127.0.0.1', listen, (error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
  await once(client, 'close');
  return 0;
}

async function files(client: Client): Promise<number> {
  const [putFrom = '', putTo = '', getFrom = '', getTo = '', list = ''] = args;
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
    client.sftp((error, wrapper) => {
      if (error === undefined) resolve(wrapper);
      else reject(error);
    });
  });
  const done = (use: (callback: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      use((error) => {
        if (error === undefined || error === null) resolve();
        else reject(error);
      });
    });
  await done((callback) => sftp.fastPut(putFrom, putTo, callback));
  await done((callback) => sftp.fastGet(getFrom, getTo, callback));
  await done((callback) =>
    sftp.readdir(list, (error, names) => {
      for (const { filename } of names ?? []) process.stdout.write(`${filename}\n`);
      callback(error);
    }),
  );
  return 0;
}
