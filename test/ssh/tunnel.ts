import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { cleanEnvironment, HOLDFAST, type RunningUp } from '../support/up.js';
import type { Ending } from './places.js';

/**
 * A TCP port on loopback behind which each connection gets a `holdfast proxy` of its own: the way to
 * WebRTC for clients that know no ProxyCommand. @returns the port.
 */
export async function startTunnel(ending: Ending, up: RunningUp): Promise<number> {
  const { clientConfigDir, workspace } = up.ready;
  const proxies = new Set<ChildProcess>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const proxy = spawn(
      process.execPath,
      [HOLDFAST, 'proxy', '--config-dir', clientConfigDir, workspace],
      { env: cleanEnvironment('/'), stdio: ['pipe', 'pipe', 'ignore'] },
    );
    proxies.add(proxy);
    socket.on('error', () => undefined);
    proxy.stdin.on('error', () => undefined);
    socket.on('close', () => proxy.stdin.end());
    socket.pipe(proxy.stdin);
    proxy.stdout.pipe(socket);
    proxy.on('close', () => {
      proxies.delete(proxy);
      socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ending.after(async () => {
    server.close();
    await Promise.all(
      [...proxies].map((proxy) => {
        proxy.kill();
        return once(proxy, 'close');
      }),
    );
  });
  return (server.address() as AddressInfo).port;
}
