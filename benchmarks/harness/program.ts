import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a program can be asked for; parameters and answers are JSON. */
export type Methods = Record<string, (params: never) => Promise<unknown>>;

interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}

type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

/** How long a program may take to end by itself before it is killed. */
const STOP_MS = 8_000;

/** A part of a benchmark in a process of its own, so that its CPU and loop are its own. */
export class Program<M extends Methods> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >();
  readonly #ended: Promise<void>;
  #lastId = 0;
  #over: Error | undefined;

  /** Starts the built file at `url`, which calls {@link serveProgram}. */
  constructor(url: URL, nodeOptions: readonly string[] = []) {
    this.#child = fork(fileURLToPath(url), [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [...nodeOptions],
    });
    this.#child.on('message', (message) => {
      this.#answered(message as Answer);
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#fail(error);
        resolve();
      });
      this.#child.once('exit', (status, signal) => {
        this.#fail(new Error(`${url.pathname} ended with ${String(signal ?? status)}`));
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws {Error} with what the program threw, or if it has ended. */
  async call<K extends keyof M & string>(
    method: K,
    ...[params]: Parameters<M[K]>
  ): Promise<Awaited<ReturnType<M[K]>>> {
    if (this.#over !== undefined) throw this.#over;
    this.#lastId += 1;
    const request: Request = { id: this.#lastId, method, params };
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
    });
    this.#child.send(request);
    return (await answer) as Awaited<ReturnType<M[K]>>;
  }

  /** Lets it clean up and end; kills it if it does not. Idempotent. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const force = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#ended;
    clearTimeout(force);
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.result);
  }

  #fail(error: Error): void {
    this.#over ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** In the program: answers the requests of the harness until it lets go, then runs `end` and exits. */
export function serveProgram(methods: Methods, end: () => Promise<void>): void {
  process.on('message', (message) => {
    const { id, method, params } = message as Request;
    const run = methods[method] as ((params: unknown) => Promise<unknown>) | undefined;
    const answer = run === undefined ? Promise.reject(new Error(`no ${method}`)) : run(params);
    // The harness may have let go of us meanwhile.
    const send = (message: Answer): void => {
      if (process.connected) process.send?.(message);
    };
    answer.then(
      (result) => {
        send({ id, result });
      },
      (error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        send({ id, error: text });
      },
    );
  });
  process.once('disconnect', () => {
    end().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
  // Ctrl-C reaches the whole group; the harness lets go of us when it has tidied up.
  process.on('SIGINT', () => undefined);
}
