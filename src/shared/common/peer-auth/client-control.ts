import { assertNever } from '../assert-never.js';
import type { ByteChannel } from '../byte-channel.js';
import { systemClock, type Clock } from '../clock.js';
import { deferred, type Deferred } from '../deferred.js';
import { fromErrorRecord, HoldfastError, wrapError } from '../errors.js';
import type { ViewerId } from '../ids.js';
import { CONTROL_REQUESTS } from '../limits.js';
import {
  agentControlSchema,
  PEER_PROTOCOL_VERSION,
  type AgentControl as AgentMessage,
  type ClientControl as ClientMessage,
  readPresence,
  type PeerEngine,
  type RecordingInfo,
  type Presence,
  type TerminalInfo,
} from '../wire/index.js';
import type { CreateRequest, CreateResult, WaitResult } from './agent-control.js';
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

/** How the client and the agent come to trust each other. */
export type ClientTrust =
  | {
      readonly kind: 'ticket';
      readonly workspaceId: string;
      /** `jti` of the ticket. */
      readonly ticketId: string;
      /** Pinned identity key of the agent, base64url. Nothing the agent says is believed before it proves to hold it. */
      readonly agentKey: string;
      /** Signs with the ephemeral key that the ticket names. */
      readonly sign: Signer;
    }
  /** The socket lies in a folder that only this user can write to. */
  | { readonly kind: 'local' };

/** What the agent says of the connection once both ends are known to each other. */
export interface AuthenticatedSession {
  readonly workspace: string;
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly agentVersion: string;
}

export interface ClientControlOptions {
  /** Label and protocol `control`, opened by this client as the first channel. */
  readonly channel: ByteChannel;
  readonly binding: HandshakeBinding;
  /** What carries the bytes at this end. A page says `browser`, whatever its binding calls it. */
  readonly engine: PeerEngine;
  readonly trust: ClientTrust;
  readonly crypto: PeerCrypto;
  readonly clock?: Clock | undefined;
}

/** `T` without its `id`, for each member of a union by itself. */
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
type RequestBody = WithoutId<Extract<ClientMessage, { id: number }>>;
type Answer = Extract<AgentMessage, { id: number }>;

interface OpenRequest {
  readonly answer: Deferred<AgentMessage>;
  readonly terminals: TerminalInfo[];
  readonly recordings: RecordingInfo[];
  /** Of `viewers`, untrusted. */
  readonly names: unknown[];
}

/** The client's side of the control channel: proves itself, verifies the agent, then asks. */
export class ClientControl {
  readonly #options: ClientControlOptions;
  readonly #control: ControlChannel;
  readonly #authenticated = deferred<AuthenticatedSession>();
  readonly #closed = deferred<HoldfastError>();
  readonly #requests = new Map<number, OpenRequest>();
  #state: 'hello' | 'proof' | 'verifying' | 'proven' | 'authenticated' = 'hello';
  #parts: TranscriptParts | undefined;
  readonly #clientNonce: string;
  #nextId = 1;
  /** Messages that came while a signature was being checked: their turn is after it. */
  #backlog: AgentMessage[] = [];

  constructor(options: ClientControlOptions) {
    this.#options = options;
    this.#clientNonce = toBase64Url(options.crypto.randomBytes(NONCE_BYTES));
    this.#control = new ControlChannel({
      channel: options.channel,
      clock: options.clock ?? systemClock,
      onMessage: (bytes) => {
        this.#receive(decodeControl(bytes, agentControlSchema));
      },
      onEnd: (error) => {
        this.#authenticated.reject(error);
        for (const { answer } of this.#requests.values()) answer.reject(error);
        this.#requests.clear();
        this.#closed.resolve(error);
      },
    });
    this.#authenticated.promise.catch(() => undefined);
  }

  /** Resolves once, when the channel has ended, with the reason. Never rejects. */
  get closed(): Promise<HoldfastError> {
    return this.#closed.promise;
  }

  /**
   * Runs the handshake. Until it resolves nothing of this connection may be trusted.
   * @throws {HoldfastError} ERR_PEER_AUTH, ERR_PROTOCOL, ERR_PROTOCOL_VERSION, ERR_PEER_TIMEOUT, or the
   * code by which the agent refused.
   */
  async authenticate(): Promise<AuthenticatedSession> {
    this.#control.start();
    this.#send({
      type: 'hello',
      version: PEER_PROTOCOL_VERSION,
      nonce: this.#clientNonce,
      engine: this.#options.engine,
      pairs: true,
    });
    return await this.#authenticated.promise;
  }

  /** Resolves when the agent has answered. */
  async ping(): Promise<void> {
    await this.#request({ type: 'ping' });
  }

  async terminals(): Promise<TerminalInfo[]> {
    const answer = await this.#request({ type: 'terminals' });
    return answer.type === 'terminals' ? answer.terminals : [];
  }

  /**
   * Ends a terminal, and forgets one that has exited; with `signal` only sends that to its processes.
   * @throws {HoldfastError} ERR_TERMINAL_NOT_FOUND, ERR_FORBIDDEN.
   */
  async kill(terminal: string, signal?: string): Promise<void> {
    await this.#request({ type: 'kill', terminal, ...(signal === undefined ? {} : { signal }) });
  }

  /**
   * Starts a terminal unless one of this name runs; one that has exited is replaced.
   * @throws {HoldfastError} ERR_FORBIDDEN, ERR_TERMINAL_LIMIT, ERR_TERMINAL_QUOTA, ERR_SPAWN,
   *   ERR_DIRECTORY_NOT_FOUND, ERR_SHELL_NOT_FOUND, ERR_INVALID_ARGUMENT.
   */
  async create(terminal: string, request: CreateRequest): Promise<CreateResult> {
    const answer = await this.#request({ type: 'create', terminal, ...request });
    if (answer.type === 'created') return answer;
    throw wrongAnswer();
  }

  /** @param idleMs life with nobody attached; 0: for ever. @throws as {@link kill}. */
  async setIdle(terminal: string, idleMs: number): Promise<void> {
    await this.#request({ type: 'set-idle', terminal, idleMs });
  }

  /**
   * Resolves when the next command in the terminal ends, or the terminal.
   * @throws {HoldfastError} ERR_WAIT_TIMEOUT, ERR_TERMINAL_NOT_FOUND, ERR_SHELL_INTEGRATION.
   */
  async wait(terminal: string, timeoutMs?: number): Promise<WaitResult> {
    const answer = await this.#request({
      type: 'wait',
      terminal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    if (answer.type === 'command') return answer;
    throw wrongAnswer();
  }

  /**
   * Begins to record a terminal on the agent.
   * @throws {HoldfastError} ERR_TERMINAL_NOT_FOUND, ERR_FORBIDDEN, ERR_RECORDING_EXISTS,
   *   ERR_RECORDING_QUOTA.
   */
  async record(
    terminal: string,
    options: { readonly input?: boolean; readonly name?: string } = {},
  ): Promise<RecordingInfo> {
    return recordingOf(await this.#request({ type: 'record', terminal, ...options }));
  }

  /** @throws {HoldfastError} ERR_RECORDING_NOT_FOUND, ERR_FORBIDDEN. */
  async stopRecording(name: string): Promise<RecordingInfo> {
    return recordingOf(await this.#request({ type: 'stop-recording', name }));
  }

  async recordings(): Promise<RecordingInfo[]> {
    const answer = await this.#request({ type: 'recordings' });
    return answer.type === 'recordings' ? answer.recordings : [];
  }

  /** @throws {HoldfastError} ERR_RECORDING_NOT_FOUND, ERR_FORBIDDEN; ERR_RECORDING_EXISTS while it runs. */
  async deleteRecording(name: string): Promise<void> {
    await this.#request({ type: 'delete-recording', name });
  }

  /**
   * Who is attached to a terminal; all of them, as far as the ticket allows to know.
   * @throws {HoldfastError} ERR_TERMINAL_NOT_FOUND, ERR_FORBIDDEN, ERR_WORKER_LOST.
   */
  async viewers(terminal: string): Promise<Presence> {
    const answer = await this.#request({ type: 'viewers', terminal });
    const presence = answer.type === 'viewers' ? readPresence(answer.presence) : undefined;
    if (presence === undefined) throw wrongAnswer();
    return presence;
  }

  /**
   * Ends a viewer of a terminal for good.
   * @throws {HoldfastError} ERR_VIEWER_NOT_FOUND, ERR_TERMINAL_NOT_FOUND, ERR_FORBIDDEN, ERR_WORKER_LOST.
   */
  async dropViewer(terminal: string, viewer: ViewerId): Promise<void> {
    await this.#request({ type: 'drop', terminal, viewer });
  }

  close(): void {
    this.#control.close();
  }

  #send(message: ClientMessage): void {
    this.#control.send(message);
  }

  async #request(body: RequestBody): Promise<AgentMessage> {
    if (this.#state !== 'authenticated')
      throw new HoldfastError('ERR_PEER_AUTH', 'the agent has not been verified');
    if (this.#requests.size >= CONTROL_REQUESTS)
      throw new HoldfastError('ERR_RATE_LIMITED', 'too many requests at once');
    const id = this.#nextId;
    this.#nextId += 1;
    const answer = deferred<AgentMessage>();
    this.#requests.set(id, { answer, terminals: [], recordings: [], names: [] });
    this.#send({ ...body, id });
    return await answer.promise;
  }

  #receive(message: AgentMessage): void {
    if (this.#state === 'verifying') {
      this.#backlog.push(message);
      return;
    }
    switch (message.type) {
      case 'hello':
        this.#require('hello');
        this.#receiveHello(message);
        return;
      case 'proof':
        this.#require('proof');
        this.#receiveProof(message.signature);
        return;
      case 'authenticated':
        this.#require('proven');
        this.#state = 'authenticated';
        this.#control.authenticated();
        this.#authenticated.resolve({
          workspace: message.workspace,
          subject: message.subject,
          scopes: message.scopes,
          agentVersion: message.agentVersion,
        });
        return;
      case 'error':
        this.#receiveError(message);
        return;
      case 'pong':
      case 'terminals':
      case 'killed':
      case 'created':
      case 'idle-set':
      case 'command':
      case 'recording':
      case 'recordings':
      case 'recording-deleted':
      case 'viewers':
      case 'dropped':
        this.#receiveAnswer(message);
        return;
      default:
        assertNever(message);
    }
  }

  #receiveHello(hello: Extract<AgentMessage, { type: 'hello' }>): void {
    const { trust, engine, binding } = this.#options;
    if (hello.version !== PEER_PROTOCOL_VERSION)
      throw new HoldfastError(
        'ERR_PROTOCOL_VERSION',
        `the agent speaks version ${String(hello.version)} of the peer protocol`,
      );
    if (trust.kind === 'local') {
      this.#state = 'proven';
      return;
    }
    if (hello.agentKey !== trust.agentKey)
      throw new HoldfastError('ERR_PEER_AUTH', 'the agent shows another key than the one pinned');
    const parts: TranscriptParts = {
      engine,
      agentEngine: hello.engine,
      binding,
      side: 'client',
      workspace: trust.workspaceId,
      ticketId: trust.ticketId,
      clientNonce: this.#clientNonce,
      agentNonce: hello.nonce,
    };
    this.#parts = parts;
    this.#later(async () => {
      const signature = await trust.sign(handshakeTranscript('client', parts));
      this.#send({ type: 'proof', signature: toBase64Url(signature) });
      this.#state = 'proof';
    });
  }

  #receiveProof(signature: string): void {
    const { trust, crypto } = this.#options;
    const parts = this.#parts;
    if (trust.kind !== 'ticket' || parts === undefined)
      throw new HoldfastError('ERR_PROTOCOL', 'a control message came out of turn');
    this.#later(async () => {
      const data = handshakeTranscript('agent', parts);
      await requireProof(crypto, { key: trust.agentKey, signature, data });
      this.#state = 'proven';
    });
  }

  /** Runs one asynchronous step of the handshake; what arrives meanwhile waits. */
  #later(step: () => Promise<void>): void {
    this.#state = 'verifying';
    step()
      .then(() => {
        for (const message of this.#backlog.splice(0)) this.#receive(message);
      })
      .catch((error: unknown) => {
        this.#control.fail(wrapError(error, 'ERR_PEER_AUTH', 'handshake'));
      });
  }

  #receiveError(message: Extract<AgentMessage, { type: 'error' }>): void {
    const error = fromErrorRecord(message.error);
    if (message.id === undefined) {
      this.#control.fail(error);
      return;
    }
    this.#require('authenticated');
    this.#requests.get(message.id)?.answer.reject(error);
    this.#requests.delete(message.id);
  }

  #receiveAnswer(message: Answer): void {
    this.#require('authenticated');
    const request = this.#requests.get(message.id);
    if (request === undefined) return;
    if (message.type === 'terminals') {
      request.terminals.push(...message.terminals);
      if (message.more === true) return;
      request.answer.resolve({ ...message, terminals: request.terminals });
    } else if (message.type === 'recordings') {
      request.recordings.push(...message.recordings);
      if (message.more === true) return;
      request.answer.resolve({ ...message, recordings: request.recordings });
    } else if (message.type === 'viewers') {
      const { names } = message.presence;
      if (Array.isArray(names)) request.names.push(...(names as unknown[]));
      if (message.more === true) return;
      request.answer.resolve({
        ...message,
        presence: { ...message.presence, names: request.names },
      });
    } else {
      request.answer.resolve(message);
    }
    this.#requests.delete(message.id);
  }

  #require(state: 'hello' | 'proof' | 'proven' | 'authenticated'): void {
    if (this.#state !== state)
      throw new HoldfastError('ERR_PROTOCOL', 'a control message came out of turn');
  }
}

function wrongAnswer(): HoldfastError {
  return new HoldfastError('ERR_PROTOCOL', 'the answer is not the one to the request');
}

function recordingOf(answer: AgentMessage): RecordingInfo {
  if (answer.type === 'recording') return answer.recording;
  throw wrongAnswer();
}
