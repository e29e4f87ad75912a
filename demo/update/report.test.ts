import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Traffic } from '#test/observer/audit.ts';
import { overIdeal, reportTable, sharesOf, writesPerUpdate, type ChapterFacts } from './report.ts';

const account = (namespace: string, name: string) => `system:serviceaccount:${namespace}:${name}`;

function traffic(requests: number, byResource: Record<string, number>): Traffic {
  const writes = Object.values(byResource).reduce((sum, count) => sum + count, 0);
  return { requests, writes, evictions: 0, events: 0, leases: 2, byResource };
}

const facts: ChapterFacts = {
  name: '2.0.0',
  wallMs: 21_000,
  totalMs: 25_000,
  budget: 2,
  worst: 2,
  outages: [0, 0, 10_000, 10_000].map((from, index) => ({
    node: `n${index}`,
    from,
    to: from + 10_000,
    rebooted: true,
  })),
  evicted: 7,
  lost: 0,
  updates: 4,
  traffic: new Map([
    [account('careen-system', 'careen-update'), traffic(12, { nodestates: 4, 'nodegroups/status': 2 })],
    [
      account('careen-system', 'careen-reboot-lock'),
      traffic(42, { nodes: 8, nodestates: 4, 'rebootlocks/status': 4 }),
    ],
    [account('careen-agent', 'careen-agent'), traffic(22, { 'nodestates/status': 12 })],
    ['admin', traffic(1000, { updatechannels: 1 })],
  ]),
};

test('writes are counted by node update, those to shared objects apart, other users’ not at all', () => {
  assert.deepEqual(writesPerUpdate(facts), { own: 7, shared: 1.5 });
});

test('each part’s share leaves out its leases', () => {
  assert.deepEqual(sharesOf(facts)['careen-reboot-lock'], { requests: 10, writes: 4 });
});

test('the wall time is compared with the machines’ own time packed into the budget', () => {
  assert.equal(overIdeal(facts), 1.05);
});

test('the table has a column a chapter and a row a figure', () => {
  const lines = reportTable([facts, { ...facts, name: '3.0.1' }]);
  assert.match(lines[0] ?? '', /2\.0\.0 +3\.0\.1$/);
  assert.ok(lines.some((line) => /most unavailable at once \/ budget +2 \/ 2 +2 \/ 2/.test(line)));
});
