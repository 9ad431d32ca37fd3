import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../src/shared/common/index.js';
import { ReadSlab, TerminalStatus } from '../../src/shared/node/ports/index.js';

interface Thread {
  readonly slab: ReadSlab;
  readonly status: TerminalStatus;
  /** What another thread that takes the terminal over sees. */
  next(): ReadSlab;
}

function first(): Thread {
  const shared = ReadSlab.allocate();
  const status = new TerminalStatus();
  return {
    slab: new ReadSlab(shared, status),
    status,
    next: () => new ReadSlab(shared, new TerminalStatus(status.shared)),
  };
}

/** As libuv does it: behind JavaScript's back. */
function read(slab: ReadSlab, text: string): void {
  slab.space().set(Buffer.from(text, 'latin1'));
}

test('read slab - a thread that died leaves what it had read and not put into the log', () => {
  const { slab, next } = first();
  read(slab, 'one ');
  slab.added(4);
  slab.taken(4);
  read(slab, 'two ');
  slab.added(4);
  assert.equal(Buffer.from(next().leftBehind(4)).toString(), 'two ');
});

test('read slab - what libuv read after the thread had ended is found', () => {
  const { slab, next } = first();
  read(slab, 'counted, ');
  slab.added(9);
  read(slab, 'never heard of');
  const heir = next();
  assert.equal(Buffer.from(heir.leftBehind(0)).toString(), 'counted, never heard of');
  assert.equal(next().leftBehind(23).length, 0, 'and only once');
});

test('read slab - what is in the log already is not left behind again', () => {
  const { slab, next } = first();
  read(slab, 'in the log');
  slab.added(10);
  // Died after the head had moved and before the slab was told.
  assert.equal(next().leftBehind(10).length, 0);
});

test('read slab - whatever a thread dies at, the log of the next one is whole', () => {
  const step = fc.record({
    length: fc.integer({ min: 1, max: 9_000 }),
    hands: fc.boolean(),
  });
  const death = fc.constantFrom('before added', 'after added', 'after append', 'after taken');
  fc.assert(
    fc.property(
      fc.array(fc.record({ steps: fc.array(step, { maxLength: 12 }), death }), {
        minLength: 1,
        maxLength: 5,
      }),
      (threads) => {
        const shared = ReadSlab.allocate();
        const status = new TerminalStatus();
        const log: Buffer[] = [];
        let head = 0;
        let made = 0;
        const append = (bytes: Uint8Array): void => {
          log.push(Buffer.from(bytes));
          head += bytes.length;
        };
        // ASCII and zeros, as output has them; never the byte that marks what is empty.
        const produce = (target: Uint8Array): void => {
          for (let at = 0; at < target.length; at += 1) target[at] = (made + at) % 128;
        };
        for (const { steps, death } of threads) {
          const slab = new ReadSlab(shared, new TerminalStatus(status.shared));
          append(slab.leftBehind(head));
          for (const [index, { length, hands }] of steps.entries()) {
            if (slab.waiting.byteOffset + slab.waiting.length + length > shared.byteLength) {
              append(slab.waiting);
              slab.taken(head);
            }
            const isLast = index === steps.length - 1;
            const space = slab.space().subarray(0, length);
            // A read that ends in a zero in memory never read into cannot be told from none.
            produce(space);
            space[space.length - 1] = 1;
            made += space.length;
            if (isLast && death === 'before added') break;
            slab.added(space.length);
            if (isLast && death === 'after added') break;
            if (!hands && !isLast) continue;
            append(slab.waiting);
            if (isLast && death === 'after append') break;
            slab.taken(head);
          }
        }
        append(new ReadSlab(shared, new TerminalStatus(status.shared)).leftBehind(head));
        assert.equal(head, made);
        assert.equal(Buffer.concat(log).length, made);
      },
    ),
    { verbose: true, numRuns: 300 },
  );
});

test('read slab - memory that was never read into stays zero, so that it costs no page', () => {
  const shared = ReadSlab.allocate();
  const slab = new ReadSlab(shared, new TerminalStatus());
  read(slab, 'prompt$ ');
  slab.added(8);
  slab.taken(8);
  const untouched = new Uint8Array(shared).subarray(4_096);
  assert.equal(untouched.length, limits.PTY_READ_SLAB_BYTES - 4_096);
  assert.ok(untouched.every((byte) => byte === 0));
});
