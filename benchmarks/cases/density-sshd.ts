import { spawn } from 'node:child_process';
import { atScale, findTool, treePssBytes, type CaseContext, type Row } from '../harness/index.js';
import { SSH_HOST, startOpenSsh } from '../servers/index.js';
import { settle } from './density-pair.js';

const SETTLE_MS = 1_500;
const SUBJECT = 'sshd sessions';

/** What sshd takes for a session with a terminal: some processes each. */
export async function sshdSessions(context: CaseContext, group: string): Promise<Row[]> {
  const count = atScale(context, { tiny: 2, normal: 20 });
  const sshd = await startOpenSsh(context.scratch);
  if (typeof sshd === 'string') return [{ group, subject: SUBJECT, figures: [], skipped: sshd }];
  context.defer(() => sshd.stop());
  const samples: number[] = [];
  for (let run = 1; run <= context.runs; run += 1) {
    context.progress.show(`density · sshd · run ${String(run)}/${String(context.runs)}`);
    const base = treePssBytes([sshd.pid]);
    const clients = Array.from({ length: count }, () =>
      spawn(findTool('ssh') ?? 'ssh', [...sshd.options, '-tt', SSH_HOST, 'exec /bin/sh'], {
        stdio: ['pipe', 'ignore', 'ignore'],
      }),
    );
    await settle(context, SETTLE_MS * 2);
    samples.push((treePssBytes([sshd.pid]) - base) / count / 1024);
    const ended = clients.map(
      (client) =>
        new Promise<void>((resolve) =>
          client.once('exit', () => {
            resolve();
          }),
        ),
    );
    for (const client of clients) client.kill('SIGTERM');
    await Promise.all(ended);
    await settle(context, SETTLE_MS);
  }
  return [
    {
      group,
      subject: SUBJECT,
      figures: [{ name: 'PSS, attached', unit: 'KiB each', samples }],
    },
  ];
}
