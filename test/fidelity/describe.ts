import type { CompareOptions, Difference } from './compare.js';
import { shortestPrefix } from './shortest.js';
import type { Stream, StreamEvent } from './streams.js';

const FACTS = 4;
/** Of a recorded session only the end of its shortest prefix is shown. */
const SHOWN = 1_500;

/** A difference for people: where, for whom, what, and after which prefix of the stream. */
export function describe(stream: Stream, options: CompareOptions, difference: Difference): string {
  const found = shortestPrefix(stream, options, difference);
  const { visit, offset, checkpoint, facts } = found?.difference ?? difference;
  const lines = [
    `${stream.name}, ring of ${String(options.ringBytes)} bytes, at byte ${String(offset)}`,
    `viewer: ${JSON.stringify(visit)}`,
    `checkpoint: ${checkpoint.slice(0, SHOWN)}`,
  ];
  for (const { never, again } of facts.slice(0, FACTS)) {
    lines.push(`  never left: ${never}`, `  came back:  ${again}`);
  }
  if (found === undefined) return [...lines, 'no prefix alone shows it'].join('\n');
  const text = found.events.map(shown).join('');
  const isWhole = text.length <= SHOWN;
  const bytes = found.events.reduce((sum, event) => sum + lengthOf(event), 0);
  lines.push(
    `shortest prefix: ${String(bytes)} bytes${isWhole ? '' : ', which end with'}`,
    isWhole ? text : text.slice(-SHOWN),
  );
  return lines.join('\n');
}

function lengthOf(event: StreamEvent): number {
  return event.type === 'output' ? event.bytes.length : 0;
}

/** As in a string literal, with changes of the size between. */
function shown(event: StreamEvent): string {
  if (event.type === 'resize') return `<${String(event.size.rows)}x${String(event.size.cols)}>`;
  return JSON.stringify(Buffer.from(event.bytes).toString('utf8')).slice(1, -1);
}
