/**
 * `npm run test:ssh -- [--client NAME] [--check NAME] [--tool NAME] [--way direct|webrtc] [--full] [--json]`: real SSH
 * clients and the tools that stand on them against a real agent, by its own port (`--ssh-listen`) and by
 * WebRTC. Status 1 if one cell is red; with CI=true also if one could not run.
 */
import { parseArgs } from 'node:util';
import { limits } from '../../src/shared/common/index.js';
import { CHECKS } from '../ssh/checks/index.js';
import { CLIENTS } from '../ssh/clients/index.js';
import { directPlace, startBroker, webrtcPlace } from '../ssh/places.js';
import {
  isFailure,
  runClient,
  runTool,
  type ClientRow,
  type OnCell,
  type ToolRow,
} from '../ssh/run-suite.js';
import { clientTable, toolTable } from '../ssh/table.js';
import { TOOLS } from '../ssh/tools/index.js';
import type { Way } from '../ssh/types.js';

const BULK_MIB: Readonly<Record<Way, number>> = { direct: 64, webrtc: 8 };
const TAR_MIB: Readonly<Record<Way, number>> = { direct: 256, webrtc: 32 };
const FULL_TAR_MIB = 1_024;

const HELP = `npm run test:ssh -- [options]
  --client NAME  only this client (may be given again): ${CLIENTS.map(({ name }) => name).join(', ')}
  --check NAME   only this check: ${CHECKS.map(({ name }) => name).join(', ')}
  --tool NAME    only this tool: ${TOOLS.map(({ name }) => name).join(', ')}
  --way WAY      only direct (agent --ssh-listen) or webrtc (holdfast up)
  --full         64 MiB each way and tar pipes of 1 GiB by WebRTC too
  --json         the rows as JSON
Without --tool, --client or --check everything runs; a choice of one kind leaves out the other.
`;

const { values } = parseArgs({
  options: {
    client: { type: 'string', multiple: true, default: [] },
    check: { type: 'string', multiple: true, default: [] },
    tool: { type: 'string', multiple: true, default: [] },
    way: { type: 'string' },
    full: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  const wantsClients = values.tool.length === 0 || values.client.length + values.check.length > 0;
  const wantsTools = values.client.length + values.check.length === 0 || values.tool.length > 0;
  const clients = wantsClients ? chosen(CLIENTS, values.client) : [];
  const checks = chosen(CHECKS, values.check);
  const tools = wantsTools ? chosen(TOOLS, values.tool) : [];
  const ways = chosen([{ name: 'direct' }, { name: 'webrtc' }] as const, values.way ?? []);
  const hooks: (() => unknown)[] = [];
  const ending = { after: (hook: () => unknown) => hooks.push(hook) };
  const clientRows: ClientRow[] = [];
  const toolRows: ToolRow[] = [];
  try {
    const up = await startBroker(ending);
    const direct = await directPlace(ending, up);
    for (const { name: way } of ways) {
      const place = way === 'direct' ? direct : await webrtcPlace(ending, up);
      const bulkBytes = (values.full ? BULK_MIB.direct : BULK_MIB[way]) * limits.MIB;
      for (const client of clients) {
        clientRows.push(await runClient(client, checks, { place, bulkBytes, onCell: onCell(way) }));
      }
      const tarBytes = (values.full ? FULL_TAR_MIB : TAR_MIB[way]) * limits.MIB;
      for (const tool of tools.filter(({ only = way }) => only === way)) {
        const row = await runTool(tool, { place, beyond: direct, tarBytes });
        toolRows.push(row);
        onCell(way)(tool.name, 'tool', row.cell);
      }
    }
  } finally {
    for (const hook of hooks.reverse()) await hook();
  }
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ clients: clientRows, tools: toolRows }, null, 2)}\n`);
  } else {
    const bulk = values.full
      ? `${String(BULK_MIB.direct)} MiB`
      : `${String(BULK_MIB.direct)} MiB (WebRTC ${String(BULK_MIB.webrtc)})`;
    if (clients.length > 0) console.log(`\n${clientTable(clientRows, checks, { bulk })}`);
    if (tools.length > 0) console.log(`\n${toolTable(toolRows)}`);
  }
  const cells = [
    ...clientRows.flatMap((row) => Object.values(row.cells)),
    ...toolRows.map(({ cell }) => cell),
  ];
  if (cells.some(isFailure)) process.exitCode = 1;
}

/** Those of the names, or all. */
function chosen<T extends { readonly name: string }>(
  all: readonly T[],
  names: string | readonly string[],
): readonly T[] {
  const wanted = [names].flat().map((name) => name.toLowerCase());
  const found = all.filter(({ name }) => wanted.includes(name.toLowerCase()));
  if (wanted.length === 0) return all;
  if (found.length < wanted.length) {
    process.stderr.write(`there is no ${wanted.join(' or ')}\n\n${HELP}`);
    process.exit(2);
  }
  return found;
}

function onCell(way: Way): OnCell {
  return (row, column, cell) => {
    const how = cell.type === 'ok' ? `ok, ${(cell.ms / 1000).toFixed(1)} s` : cell.type;
    const why = cell.type === 'ok' ? cell.note : cell.reason;
    process.stderr.write(`${way}  ${row}  ${column}: ${how}${why === '' ? '' : `  (${why})`}\n`);
  };
}
