import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import {
  authenticateConnection,
  type AgentConnection,
} from '../../../src/main/client/connection/index.js';
import type { TerminalId } from '../../../src/shared/common/index.js';
import { FramedConnection } from '../../../src/shared/common/framing/index.js';
import { formatTerminalLabel } from '../../../src/shared/common/wire/index.js';
import { CountingViewer, type WatchOptions } from './counting-viewer.js';
import { FrameScanner } from './frame-scanner.js';

const READ_BYTES = 256 * 1024;
const SIZE = { rows: 24, cols: 80 };

/**
 * A connection to an agent's local socket that costs its process next to nothing, so that what is measured is the agent:
 * of output only the headers are read, and nothing is copied. Everything else, such as the handshake, credit and the
 * heartbeat, is the client's own code; acknowledgements go out as it sends them.
 */
export class CountingConnection {
  readonly agent: AgentConnection;
  readonly #framed: FramedConnection;
  readonly #counted: Map<number, CountingViewer>;

  private constructor(
    agent: AgentConnection,
    framed: FramedConnection,
    counted: Map<number, CountingViewer>,
  ) {
    this.agent = agent;
    this.#framed = framed;
    this.#counted = counted;
  }

  static async open(path: string): Promise<CountingConnection> {
    const counted = new Map<number, CountingViewer>();
    const reader: { scanner?: FrameScanner } = {};
    const socket = connect({
      path,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (length: number, buffer: Uint8Array): boolean => {
          reader.scanner?.push(Buffer.from(buffer.buffer, buffer.byteOffset, length));
          return true;
        },
      },
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const framed = over(socket);
    reader.scanner = new FrameScanner(framed, counted);
    framed.start();
    const agent = await authenticateConnection(framed, {
      engine: 'framed',
      trust: { kind: 'local' },
    });
    return new CountingConnection(agent, framed, counted);
  }

  /** Attaches a viewer; see {@link CountingViewer.attached}. */
  watch(id: TerminalId, options: WatchOptions): CountingViewer {
    const channel = this.#framed.openChannel({
      label: formatTerminalLabel({ id, ...SIZE }),
      protocol: 'terminal',
    });
    const viewer = new CountingViewer(channel, {
      ...options,
      clientId: randomBytes(16),
      size: SIZE,
    });
    this.#counted.set(channel.id, viewer);
    return viewer;
  }

  async close(): Promise<void> {
    await this.agent.close();
  }
}

/** The engine over `socket`, whose reads are somebody else's business. */
function over(socket: Socket): FramedConnection {
  let pendingBytes = 0;
  let corked = false;
  const framed: FramedConnection = new FramedConnection({
    role: 'client',
    transport: {
      write: (bytes, written) => {
        if (socket.destroyed) return;
        if (!corked) {
          corked = true;
          socket.cork();
          process.nextTick(() => {
            corked = false;
            socket.uncork();
          });
        }
        pendingBytes += bytes.length;
        socket.write(bytes, () => {
          pendingBytes -= bytes.length;
          written?.();
          framed.drained();
        });
      },
      get pendingBytes() {
        return pendingBytes;
      },
      end: () => {
        socket.end();
      },
      destroy: () => {
        socket.destroy();
      },
    },
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    framed.transportEnded();
  });
  return framed;
}
