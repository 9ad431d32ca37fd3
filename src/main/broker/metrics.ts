import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { PipeTotals, Relays } from './relay/index.js';
import type { Hub } from './signalling/index.js';

/** Prometheus metrics of the broker: numbers only, no names of workspaces or people. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #relayBytes = new Counter({
    name: 'holdfast_broker_relay_bytes_total',
    help: 'Bytes passed on by relays that have ended.',
    registers: [this.#registry],
  });
  readonly #requests = new Counter({
    name: 'holdfast_broker_requests_total',
    help: 'HTTP requests, by the status they were answered with.',
    labelNames: ['status'],
    registers: [this.#registry],
  });
  readonly #refusals = new Counter({
    name: 'holdfast_broker_upgrades_refused_total',
    help: 'WebSocket upgrades refused, by code.',
    labelNames: ['code'],
    registers: [this.#registry],
  });

  constructor(hub: Hub, relays: Relays) {
    collectDefaultMetrics({ register: this.#registry, prefix: 'holdfast_broker_' });
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers: [this.#registry],
        collect() {
          this.set(read());
        },
      });
    };
    gauge('holdfast_broker_agents', 'Agents connected.', () => hub.agents);
    gauge('holdfast_broker_sessions', 'Signalling sessions in progress.', () => hub.sessions);
    gauge('holdfast_broker_relays', 'Relays in use or waiting.', () => relays.size);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  relayEnded({ bytes }: PipeTotals): void {
    this.#relayBytes.inc(bytes);
  }

  answered(status: number): void {
    this.#requests.inc({ status: String(status) });
  }

  refused(code: string): void {
    this.#refusals.inc({ code });
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
