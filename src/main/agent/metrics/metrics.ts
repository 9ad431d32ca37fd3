import { createServer, type Server } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, Registry } from 'prom-client';
import { once, wrapError, type Closable } from '../../../shared/common/index.js';

/** What the agent counts; read when somebody asks. */
export interface AgentFigures {
  readonly terminals: number;
  readonly sshConnections: number;
  readonly peers: number;
  readonly unauthenticatedPeers: number;
  /** Worker threads die too often: nothing new is started. */
  readonly degraded: boolean;
  readonly connected: boolean;
}

export interface MetricsOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly figures: () => AgentFigures;
}

/** `/metrics` for Prometheus and `/healthz`, for the machine itself only unless bound otherwise. */
export class MetricsServer implements Closable {
  readonly #options: MetricsOptions;
  readonly #registry = new Registry();
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 10 });
  #server: Server | undefined;

  constructor(options: MetricsOptions) {
    this.#options = options;
    const gauge = (name: string, help: string, value: () => number): void => {
      new Gauge({
        name: `holdfast_agent_${name}`,
        help,
        registers: [this.#registry],
        collect() {
          this.set(value());
        },
      });
    };
    const { figures } = options;
    gauge('terminals', 'Terminals, those of SSH sessions included', () => figures().terminals);
    gauge('ssh_connections', 'SSH connections', () => figures().sshConnections);
    gauge('peers', 'Authenticated peers', () => figures().peers);
    gauge(
      'peers_unauthenticated',
      'Peers that are not in yet',
      () => figures().unauthenticatedPeers,
    );
    gauge('degraded', '1 while workers die too often', () => Number(figures().degraded));
    gauge('broker_connected', '1 while the broker is reached', () => Number(figures().connected));
    gauge(
      'loop_delay_p99_seconds',
      'Delay of the main loop',
      () => this.#loopDelay.percentile(99) / 1e9,
    );
    gauge('resident_bytes', 'Resident memory of the process', () => process.memoryUsage.rss());
  }

  /** The port that is listened on; 0 before. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** @throws {HoldfastError} ERR_PORT_IN_USE. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      if (request.method !== 'GET') {
        response.writeHead(405).end();
      } else if (request.url === '/healthz') {
        const { degraded, connected } = this.#options.figures();
        response.writeHead(degraded ? 503 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ status: degraded ? 'degraded' : 'ok', connected }));
      } else if (request.url === '/metrics') {
        void this.#registry.metrics().then((text) => {
          response.writeHead(200, { 'content-type': this.#registry.contentType });
          response.end(text);
        });
      } else {
        response.writeHead(404).end();
      }
    });
    this.#server = server;
    this.#loopDelay.enable();
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        reject(wrapError(error, 'ERR_PORT_IN_USE', `listen on ${host}:${String(port)}`));
      });
      server.listen({ host, port }, resolve);
    });
  }

  readonly close = once(async () => {
    this.#loopDelay.disable();
    const server = this.#server;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}
