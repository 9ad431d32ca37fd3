import assert from 'node:assert/strict';
import { programPath, run } from '../run-command.js';
import type { Tool } from '../types.js';

/** What ssh-audit says of the algorithms on offer. docs/ssh.md explains each of its warnings. */
export const sshAudit: Tool = {
  name: 'ssh-audit',
  packages: ['ssh-audit'],
  needs: ['ssh-audit'],
  only: 'direct',
  run: async ({ place }) => {
    const { stdout } = await run(place, {
      file: programPath('ssh-audit'),
      args: ['-n', '-p', String(place.port), place.host],
    });
    const report = stdout.toString();
    assert.match(report, /\(kex\) curve25519-sha256 /, report.slice(0, 400));
    const marked = (mark: string): string[] =>
      report.split('\n').filter((line) => line.includes(`[${mark}]`));
    const failures = marked('fail');
    assert.deepEqual(failures, []);
    const warnings = marked('warn').map((line) => line.split(/\s+/).slice(0, 2).join(' '));
    return `0 failures; warnings: ${warnings.length === 0 ? 'none' : warnings.join(', ')}`;
  },
};
