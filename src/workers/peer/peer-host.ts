import { MessageChannel } from 'node:worker_threads';
import {
  assertNever,
  createLogger,
  limits,
  toErrorRecord,
  type ErrorRecord,
  type LogFields,
  type LogLevel,
  type Logger,
} from '../../shared/common/index.js';
import type {
  PeerChannel,
  PeerCommand,
  PeerConnection,
  PeerEnd,
  PeerEvent,
  PeerTask,
} from '../../shared/node/peer/index.js';
import {
  DEFAULT_PORT_CREDIT,
  injectFault,
  PortChannel,
  type FaultKind,
} from '../../shared/node/ports/index.js';
import { ChannelBridge } from './channel-bridge.js';
import { establish, type Establishing } from './establish.js';

export interface PeerHostOptions {
  /** Whether the test door is open. */
  readonly faults: boolean;
}

/**
 * One connection in a peer worker. Builds it, hands its channels to main as ports, and does what main
 * says. Before main has said `authenticated` only the control channel is handed over; a few others are
 * held with nothing read from them.
 */
export class PeerHost {
  readonly #task: PeerTask;
  readonly #faults: boolean;
  readonly #logger: Logger;
  readonly #held: PeerChannel[] = [];
  #establishing: Establishing | undefined;
  #connection: PeerConnection | undefined;
  /** Channels that were handed over and have not ended. */
  readonly #bridges = new Set<ChannelBridge>();
  #hasControl = false;
  #authenticated = false;
  #expelled: ErrorRecord | undefined;
  #closeRequest: { readonly error: PeerEnd['error'] } | undefined;

  constructor(task: PeerTask, { faults }: PeerHostOptions) {
    this.#task = task;
    this.#faults = faults;
    this.#logger = createLogger((record) => {
      this.#post({ type: 'log', record });
    });
  }

  /** Resolves when the connection has ended; never rejects, since `ended` says how. */
  async serve(): Promise<void> {
    const { port } = this.#task;
    port.on('message', (command: PeerCommand) => {
      this.#receive(command);
    });
    // Main is gone: nobody is left to tell.
    port.on('close', () => {
      this.#close(undefined);
    });
    let end: PeerEnd;
    try {
      end = await this.#run();
    } catch (error) {
      end = { error: toErrorRecord(error) };
    }
    this.#post({ type: 'ended', end });
    port.close();
  }

  log(level: LogLevel, message: string, fields: LogFields): void {
    this.#logger[level](message, fields);
  }

  async #run(): Promise<PeerEnd> {
    const establishing = establish(this.#task, {
      answer: (sdp) => {
        this.#post({ type: 'answer', sdp });
      },
      candidate: (candidate) => {
        this.#post({ type: 'candidate', candidate });
      },
    });
    this.#establishing = establishing;
    if (this.#closeRequest !== undefined) establishing.abandon();
    const connection = await establishing.connection;
    this.#connection = connection;
    this.#post({ type: 'connected', binding: connection.binding() });
    connection.onChannel((channel) => {
      this.#receiveChannel(channel);
    });
    if (this.#closeRequest !== undefined) this.#close(this.#closeRequest.error);
    const end = await connection.closed;
    await connection.close();
    return end;
  }

  #receive(command: PeerCommand): void {
    switch (command.type) {
      case 'candidate':
        this.#establishing?.addCandidate(command.candidate);
        return;
      case 'authenticated':
        this.#authenticated = true;
        for (const channel of this.#held.splice(0)) this.#handOver(channel);
        return;
      case 'close':
        this.#close(command.error);
        return;
      case 'expel':
        this.#expelled = command.error;
        for (const bridge of [...this.#bridges]) bridge.cut(command.error);
        return;
      case 'probe':
        this.#connection?.probe();
        return;
      case 'fault':
        this.#injectFault(command.kind);
        return;
      default:
        assertNever(command);
    }
  }

  #receiveChannel(channel: PeerChannel): void {
    if (this.#expelled !== undefined) {
      channel.close(this.#expelled);
    } else if (this.#bridges.size + this.#held.length >= (this.#task.maxChannels ?? Infinity)) {
      channel.close({ code: 'ERR_PEER_LIMIT', message: 'too many channels on this connection' });
    } else this.#takeChannel(channel);
  }

  #takeChannel(channel: PeerChannel): void {
    if (channel.protocol === 'control') {
      if (this.#hasControl) {
        channel.close({ code: 'ERR_PROTOCOL', message: 'there is a control channel already' });
        return;
      }
      this.#hasControl = true;
      this.#handOver(channel);
    } else if (this.#authenticated) {
      this.#handOver(channel);
    } else if (this.#held.length < limits.HELD_CHANNELS) {
      this.#held.push(channel);
    } else {
      channel.close({ code: 'ERR_PEER_LIMIT', message: 'too many channels before authentication' });
    }
  }

  #handOver(channel: PeerChannel): void {
    const { port1, port2 } = new MessageChannel();
    const { label, protocol } = channel;
    this.#post(
      { type: 'channel', label, protocol, handle: { port: port2, credit: DEFAULT_PORT_CREDIT } },
      [port2],
    );
    const bridge = new ChannelBridge(
      channel,
      new PortChannel({ port: port1, credit: DEFAULT_PORT_CREDIT }),
      () => this.#bridges.delete(bridge),
    );
    // The control channel ends with the connection.
    if (protocol !== 'control') this.#bridges.add(bridge);
    bridge.start();
  }

  #close(error: PeerEnd['error']): void {
    this.#closeRequest ??= { error };
    if (this.#connection === undefined) {
      this.#establishing?.abandon();
      return;
    }
    for (const channel of this.#held.splice(0)) channel.close(error);
    if (error !== undefined)
      this.#logger.debug('closing a connection', { code: error.code, reason: error.message });
    void this.#connection.close();
  }

  #injectFault(kind: FaultKind): void {
    if (this.#faults) injectFault(kind);
    else this.#logger.warn('a fault was asked for, but this agent was started without them');
  }

  #post(event: PeerEvent, transfer: import('node:worker_threads').MessagePort[] = []): void {
    this.#task.port.postMessage(event, transfer);
  }
}
