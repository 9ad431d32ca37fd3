/** Program: one client with one shell, which it floods and counts, or types into and times the echo. */
import { serveProgram } from '../harness/index.js';
import { DONE, FloodCounter } from './flood-counter.js';
import { EchoTimer } from './echo-timer.js';
import { openSession, type Session, type SessionSpec } from './sessions/index.js';

export interface FloodParams {
  readonly bytes: number;
  /** What comes is redraws of a screen. */
  readonly redraws: boolean;
}
export interface FloodResult {
  readonly milliseconds: number;
  /** Bytes that arrived of those that were printed. */
  readonly received: number;
}
export interface EchoParams {
  readonly keys: number;
  readonly intervalMs: number;
}

/** Printed in two parts, so that the echo of the command that prints it is not taken for it. */
const READY = '@@ready@@';
const PRINT_READY = "printf '@@%s@@' ready";
const PRINT_DONE = `printf '${DONE.replace('\r\n', '\\r\\n').replace('done', '%s')}' done`;
const READY_MS = 20_000;

let session: Session | undefined;
let receive: (bytes: Uint8Array) => void = () => undefined;
let counter: FloodCounter | undefined;
let timer: EchoTimer | undefined;
let ended: string | undefined;

const methods = {
  open: async (spec: SessionSpec) => {
    ended = undefined;
    session = await openSession(spec, {
      data: (bytes) => {
        receive(bytes);
      },
      lost: (bytes) => {
        counter?.lost(bytes);
      },
      end: (reason) => {
        ended = reason;
        counter?.ended(reason);
        timer?.ended(reason);
      },
    });
  },

  /** Gets ready to run `producer`, which prints a known number of bytes; {@link methods.flood} starts it. */
  prepareFlood: async ({ producer }: { readonly producer: string }) => {
    const oneByte = 'head -c1 >/dev/null';
    await runUntilReady(
      `stty raw -echo; ${PRINT_READY}; ${oneByte}; ${producer}; ${PRINT_DONE}; ${oneByte}; exit`,
    );
  },

  flood: async ({ bytes, redraws }: FloodParams): Promise<FloodResult> => {
    const flood = new FloodCounter({ expected: bytes, redraws });
    counter = flood;
    receive = (chunk) => {
      flood.data(chunk);
    };
    const start = performance.now();
    requireSession().write('g');
    const { received, at } = await flood.result;
    return { milliseconds: at - start, received };
  },

  prepareEcho: async (_: object) => {
    await runUntilReady(`stty raw -echo; ${PRINT_READY}; exec cat`);
  },

  /** Latencies in ms, one per key. */
  echo: async ({ keys, intervalMs }: EchoParams): Promise<readonly number[]> => {
    const echo = new EchoTimer(keys, intervalMs, (text) => {
      requireSession().write(text);
    });
    timer = echo;
    receive = (chunk) => {
      echo.data(chunk);
    };
    return await echo.run();
  },

  close: async (_: object) => {
    const open = session;
    session = undefined;
    receive = () => undefined;
    await open?.close();
    counter = undefined;
    timer = undefined;
  },
};

export type ClientMethods = typeof methods;

serveProgram(methods, async () => {
  await methods.close({});
});

/** Types `command` and resolves when it has printed the marker. */
async function runUntilReady(command: string): Promise<void> {
  let text = '';
  const found = new Promise<void>((resolve) => {
    receive = (chunk) => {
      text = (text + Buffer.from(chunk).toString('latin1')).slice(-16_384);
      if (text.includes(READY)) resolve();
    };
  });
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => {
      reject(
        new Error(`the shell was not ready: ${ended ?? ''} ${JSON.stringify(text.slice(-200))}`),
      );
    }, READY_MS).unref();
  });
  requireSession().write(`${command}\n`);
  await Promise.race([found, late]);
}

function requireSession(): Session {
  if (session === undefined) throw new Error('no session is open');
  return session;
}
