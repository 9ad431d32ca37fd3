import assert from 'node:assert/strict';
import { describe, run } from '../run-command.js';
import type { Check } from '../types.js';

const STATUSES = [0, 7, 255];

/** The client ends with the status of the command. */
export const status: Check = {
  name: 'status',
  title: 'exit status',
  applies: (client) => client.exec !== undefined,
  run: async (client, { place }) => {
    for (const expected of STATUSES) {
      const command = client.exec?.(place, `exit ${String(expected)}`);
      assert.ok(command);
      const result = await run(place, command);
      assert.equal(result.status, expected, describe(command, result));
    }
  },
};
