import { assertNever } from '../assert-never.js';
import type { ByteChannel } from '../byte-channel.js';
import { systemClock, type Clock } from '../clock.js';
import { deferred } from '../deferred.js';
import { HoldfastError, toErrorRecord, wrapError, type ErrorRecord } from '../errors.js';
import { parseTerminalId, type TerminalId, type ViewerId } from '../ids.js';
import { CONTROL_REQUESTS } from '../limits.js';
import {
  AGENT_ENGINES,
  clientControlSchema,
  PEER_PROTOCOL_VERSION,
  type AgentControl as AgentMessage,
  type ClientControl as ClientMessage,
  type PeerEngine,
  type RecordingInfo,
  type Presence,
  type TerminalInfo,
} from '../wire/index.js';
import { toBase64Url } from './base64url.js';
import { ControlChannel } from './control-channel.js';
import {
  decodeControl,
  handshakeTranscript,
  NONCE_BYTES,
  requireProof,
  type HandshakeBinding,
  type PeerCrypto,
  type Signer,
  type TranscriptParts,
} from './handshake.js';

/** Who the client must prove to be. */
export type ExpectedClient =
  | {
      readonly kind: 'ticket';
      readonly workspaceId: string;
      /** `jti` of the verified ticket. */
      readonly ticketId: string;
      /** Key of `cnf` in the ticket, base64url. */
      readonly clientKey: string;
    }
  /** The kernel has told who is at the other end of the socket; nothing is left to prove. */
  | { readonly kind: 'local' };

/** What a client asks of a terminal that it wants to have started. */
export type CreateRequest = Omit<
  Extract<ClientMessage, { type: 'create' }>,
  'type' | 'id' | 'terminal'
>;

/** The terminal that runs now, and whether it was started by the request or ran before. */
export type CreateResult = Omit<Extract<AgentMessage, { type: 'created' }>, 'type' | 'id'>;

/** What ended first: a command in the terminal, or the terminal. */
export type WaitResult = Omit<Extract<AgentMessage, { type: 'command' }>, 'type' | 'id'>;

/** What an authenticated client may ask on the control channel. Failures become error answers. */
export interface ControlRequests {
  terminals(): Promise<TerminalInfo[]>;
  /** With `signal` only sends that. */
  kill(id: TerminalId, signal?: string): Promise<void>;
  create(id: TerminalId, request: CreateRequest): Promise<CreateResult>;
  setIdle(id: TerminalId, idleMs: number): Promise<void>;
  /** `gone` aborts when the client that asked has left. */
  wait(id: TerminalId, timeoutMs: number | undefined, gone: AbortSignal): Promise<WaitResult>;
  /** Who is attached, as far as this client may know. */
  viewers(id: TerminalId): Promise<Presence>;
  /** Ends a viewer for good. */
  drop(id: TerminalId, viewer: ViewerId): Promise<void>;
  /** Absent: this agent records nothing. */
  readonly recordings?: RecordingRequests | undefined;
}

/** Requests about recordings. */
export interface RecordingRequests {
  /** Begins to record a terminal. */
  record(id: TerminalId, options: RecordOptions): Promise<RecordingInfo>;
  /** Ends the recording `name`; resolves when its file is complete. */
  stop(name: string): Promise<RecordingInfo>;
  list(): Promise<RecordingInfo[]>;
  delete(name: string): Promise<void>;
}

/** How a recording is made. */
export interface RecordOptions {
  /** What is typed, too. */
  readonly input: boolean;
  /** Absent: made from the terminal and the time. */
  readonly name?: string | undefined;
}

export interface AgentControlOptions {
  readonly channel: ByteChannel;
  readonly binding: HandshakeBinding;
  readonly client: ExpectedClient;
  /** The agent's identity key: public in base64url, and the signer of its private half. */
  readonly agentKey: string;
  readonly sign: Signer;
  readonly crypto: PeerCrypto;
  readonly requests: ControlRequests;
  /** Which requests this client may make at all. Absent: every one. */
  readonly mayRequest?: ((type: string) => boolean) | undefined;
  /** The client is known; called before it learns of it, so that what it then opens finds doors open. */
  readonly onAuthenticated?: (() => void) | undefined;
  /** Shown to the client once it is in. */
  readonly welcome: {
    readonly workspace: string;
    readonly subject: string;
    readonly scopes: string[];
    readonly agentVersion: string;
  };
  readonly clock?: Clock | undefined;
}

type RecordingRequest = Extract<
  ClientMessage,
  { type: 'record' | 'stop-recording' | 'recordings' | 'delete-recording' }
>;

/** A list goes out in pieces of about this many bytes. */
const LIST_PIECE_BYTES = 32 * 1024;

/**
 * The agent's side of the control channel: verifies the client, proves itself, then answers requests.
 * It signs only after the client's proof held, so that a stranger cannot use it as an oracle.
 */
export class AgentControl {
  readonly #options: AgentControlOptions;
  readonly #control: ControlChannel;
  readonly #authenticated = deferred<undefined>();
  readonly #closed = deferred<HoldfastError>();
  #state: 'hello' | 'proof' | 'verifying' | 'authenticated' = 'hello';
  #engine: PeerEngine = 'framed';
  #clientNonce = '';
  readonly #agentNonce: string;
  readonly #gone = new AbortController();
  #open = 0;

  constructor(options: AgentControlOptions) {
    this.#options = options;
    this.#agentNonce = toBase64Url(options.crypto.randomBytes(NONCE_BYTES));
    this.#control = new ControlChannel({
      channel: options.channel,
      clock: options.clock ?? systemClock,
      onMessage: (bytes) => {
        this.#receive(decodeControl(bytes, clientControlSchema));
      },
      onEnd: (error) => {
        this.#authenticated.reject(error);
        this.#gone.abort();
        this.#closed.resolve(error);
      },
    });
    // Whoever does not wait for it learns of the end through `closed`.
    this.#authenticated.promise.catch(() => undefined);
  }

  /** Resolves once, when the channel has ended, with the reason. Never rejects. */
  get closed(): Promise<HoldfastError> {
    return this.#closed.promise;
  }

  /** Resolves when the last word to the client has left, some time after `closed`. */
  get gone(): Promise<undefined> {
    return this.#control.gone;
  }

  /** @throws {HoldfastError} ERR_PEER_AUTH, ERR_PROTOCOL, ERR_PROTOCOL_VERSION, ERR_PEER_TIMEOUT. */
  async authenticate(): Promise<void> {
    this.#control.start();
    await this.#authenticated.promise;
  }

  /** Refuses the client, or ends the channel of one that is in. */
  refuse(error: ErrorRecord): void {
    this.#control.send({ type: 'error', error } satisfies AgentMessage);
    this.#control.fail(new HoldfastError(error.code, error.message));
  }

  #send(message: AgentMessage): void {
    this.#control.send(message);
  }

  #receive(message: ClientMessage): void {
    switch (message.type) {
      case 'hello':
        this.#receiveHello(message);
        return;
      case 'proof':
        this.#receiveProof(message.signature);
        return;
      case 'ping':
      case 'terminals':
      case 'kill':
      case 'create':
      case 'set-idle':
      case 'wait':
      case 'record':
      case 'stop-recording':
      case 'recordings':
      case 'delete-recording':
      case 'viewers':
      case 'drop':
        this.#receiveRequest(message);
        return;
      default:
        assertNever(message);
    }
  }

  #receiveHello(hello: Extract<ClientMessage, { type: 'hello' }>): void {
    this.#require('hello');
    if (hello.version !== PEER_PROTOCOL_VERSION) {
      this.refuse({
        code: 'ERR_PROTOCOL_VERSION',
        message: `the agent speaks version ${String(PEER_PROTOCOL_VERSION)} of the peer protocol`,
      });
      return;
    }
    const { engine } = this.#options.binding;
    if (engine === 'native' && hello.engine === 'werift' && hello.pairs !== true) {
      this.refuse({
        code: 'ERR_PROTOCOL_VERSION',
        message: 'this agent runs the native engine, which needs a newer client',
      });
      return;
    }
    this.#engine = hello.engine;
    this.#clientNonce = hello.nonce;
    this.#send({
      type: 'hello',
      version: PEER_PROTOCOL_VERSION,
      nonce: this.#agentNonce,
      agentKey: this.#options.agentKey,
      engine: AGENT_ENGINES.find((each) => each === engine),
    });
    if (this.#options.client.kind === 'local') this.#finish();
    else this.#state = 'proof';
  }

  #receiveProof(signature: string): void {
    this.#require('proof');
    this.#state = 'verifying';
    this.#exchangeProofs(signature).catch((error: unknown) => {
      this.refuse(toErrorRecord(wrapError(error, 'ERR_PEER_AUTH', 'handshake')));
    });
  }

  async #exchangeProofs(signature: string): Promise<void> {
    const { binding, client, crypto, sign } = this.#options;
    if (client.kind !== 'ticket') return;
    const parts: TranscriptParts = {
      engine: this.#engine,
      binding,
      side: 'agent',
      workspace: client.workspaceId,
      ticketId: client.ticketId,
      clientNonce: this.#clientNonce,
      agentNonce: this.#agentNonce,
    };
    const data = handshakeTranscript('client', parts);
    await requireProof(crypto, { key: client.clientKey, signature, data });
    const ours = await sign(handshakeTranscript('agent', parts));
    this.#send({ type: 'proof', signature: toBase64Url(ours) });
    this.#finish();
  }

  #finish(): void {
    this.#state = 'authenticated';
    this.#control.authenticated();
    this.#options.onAuthenticated?.();
    this.#send({ type: 'authenticated', ...this.#options.welcome });
    this.#authenticated.resolve(undefined);
  }

  #receiveRequest(request: Extract<ClientMessage, { id: number }>): void {
    this.#require('authenticated');
    if (this.#open >= CONTROL_REQUESTS) {
      const error = { code: 'ERR_RATE_LIMITED', message: 'too many requests at once' } as const;
      this.#send({ type: 'error', id: request.id, error });
      return;
    }
    if (this.#options.mayRequest?.(request.type) === false) {
      const error = {
        code: 'ERR_FORBIDDEN',
        message: `not allowed here: ${request.type}`,
      } as const;
      this.#send({ type: 'error', id: request.id, error });
      return;
    }
    this.#open += 1;
    this.#answer(request)
      .catch((error: unknown) => {
        this.#send({ type: 'error', id: request.id, error: toErrorRecord(error) });
      })
      .finally(() => {
        this.#open -= 1;
      });
  }

  async #answer(request: Extract<ClientMessage, { id: number }>): Promise<void> {
    const { id } = request;
    const { requests } = this.#options;
    switch (request.type) {
      case 'ping':
        this.#send({ type: 'pong', id });
        return;
      case 'terminals': {
        const pieces = cutList(await requests.terminals());
        for (const [index, terminals] of pieces.entries())
          this.#send({
            type: 'terminals',
            id,
            terminals,
            ...(index < pieces.length - 1 ? { more: true } : {}),
          });
        return;
      }
      case 'kill':
        await requests.kill(parseTerminalId(request.terminal), request.signal);
        this.#send({ type: 'killed', id });
        return;
      case 'create': {
        const result = await requests.create(parseTerminalId(request.terminal), request);
        this.#send({ type: 'created', id, ...result });
        return;
      }
      case 'set-idle':
        await requests.setIdle(parseTerminalId(request.terminal), request.idleMs);
        this.#send({ type: 'idle-set', id });
        return;
      case 'wait': {
        const { terminal, timeoutMs } = request;
        const gone = this.#gone.signal;
        const result = await requests.wait(parseTerminalId(terminal), timeoutMs, gone);
        this.#send({ type: 'command', id, ...result });
        return;
      }
      case 'viewers': {
        const presence = await requests.viewers(parseTerminalId(request.terminal));
        const pieces = cutList([...presence.names]);
        for (const [index, names] of pieces.entries())
          this.#send({
            type: 'viewers',
            id,
            presence: { ...presence, names },
            ...(index < pieces.length - 1 ? { more: true } : {}),
          });
        return;
      }
      case 'drop':
        await requests.drop(parseTerminalId(request.terminal), request.viewer as ViewerId);
        this.#send({ type: 'dropped', id });
        return;
      case 'record':
      case 'stop-recording':
      case 'recordings':
      case 'delete-recording':
        await this.#answerRecording(request);
        return;
      default:
        assertNever(request);
    }
  }

  async #answerRecording(request: RecordingRequest): Promise<void> {
    const { id } = request;
    const requests = this.#options.requests.recordings;
    if (requests === undefined) {
      throw new HoldfastError('ERR_UNSUPPORTED', 'this agent records nothing');
    }
    switch (request.type) {
      case 'record': {
        const { input = false, name } = request;
        const terminal = parseTerminalId(request.terminal);
        const recording = await requests.record(terminal, { input, name });
        this.#send({ type: 'recording', id, recording });
        return;
      }
      case 'stop-recording': {
        const recording = await requests.stop(request.name);
        this.#send({ type: 'recording', id, recording });
        return;
      }
      case 'recordings': {
        const pieces = cutList(await requests.list());
        for (const [index, recordings] of pieces.entries()) {
          const more = index < pieces.length - 1 ? { more: true } : {};
          this.#send({ type: 'recordings', id, recordings, ...more });
        }
        return;
      }
      case 'delete-recording':
        await requests.delete(request.name);
        this.#send({ type: 'recording-deleted', id });
        return;
      default:
        assertNever(request);
    }
  }

  #require(state: 'hello' | 'proof' | 'authenticated'): void {
    if (this.#state !== state)
      throw new HoldfastError('ERR_PROTOCOL', 'a control message came out of turn');
  }
}

/** `list` in pieces that fit a message each; at least one piece. */
function cutList<T>(list: readonly T[]): T[][] {
  const pieces: T[][] = [[]];
  let bytes = 0;
  for (const item of list) {
    bytes += JSON.stringify(item).length;
    if (bytes > LIST_PIECE_BYTES) {
      pieces.push([]);
      bytes = 0;
    }
    pieces.at(-1)?.push(item);
  }
  return pieces;
}
