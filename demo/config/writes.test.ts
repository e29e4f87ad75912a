import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Traffic } from '#test/observer/audit.ts';
import { reportChapters } from './report.ts';
import { sumOfWrites, writesOf } from './writes.ts';

function traffic(byResource: Record<string, number>): Traffic {
  return { requests: 0, writes: 0, evictions: 0, events: 0, leases: 0, byResource };
}

const AGENT = 'system:serviceaccount:careen-agent:careen-agent';
const OPERATOR = 'system:serviceaccount:careen-system:careen-node-config';

test('writes are told apart by what they are for, and those of others do not count', () => {
  const writes = writesOf([
    ['system:admin', traffic({ nodestates: 7, nodeconfigs: 1 })],
    [AGENT, traffic({ 'nodestates/status': 6 })],
    [
      OPERATOR,
      traffic({
        nodestates: 4,
        secrets: 2,
        serviceaccounts: 2,
        roles: 2,
        rolebindings: 2,
        renderedconfigs: 1,
        'nodeconfigs/status': 3,
      }),
    ],
  ]);
  assert.deepEqual(writes, { spec: 4, status: 6, secret: 2, setUp: 6, shared: 4 });
  assert.equal(sumOfWrites(writes), 22);
});

test('the closing table shows them a changed node, and those that belong to none as they are', () => {
  const writes = { spec: 4, status: 6, secret: 2, setUp: 6, shared: 5 };
  const lines = reportChapters([{ name: 'one', nodes: 2, tookMs: 1500, worst: 1, writes }]);
  assert.match(lines[0] ?? '', /SPEC +SECRET +STATUS +SET-UP +SHARED/);
  assert.match(lines[1] ?? '', /^one +1\.5 s +2 +1 +2\.0 +1\.0 +3\.0 +3\.0 +5$/);
  assert.ok(lines.some((line) => /account, role and binding/.test(line)));
});
