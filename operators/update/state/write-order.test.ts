import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeFacts } from '../rollout/facts.ts';
import { inStages } from './write-order.ts';

const since = '2026-01-01T00:00:00Z';
const payload = { manifest: 'http://x/m.json' };

function node(name: string, changes: Partial<NodeFacts>): NodeFacts {
  const wanted = { version: '2.0.0', payload, attempt: 1 };
  return {
    name,
    labels: {},
    ready: true,
    cordoned: false,
    bootID: 'b',
    wanted,
    status: undefined,
    ...changes,
  };
}

test('a version is taken from the others before anything is written to a node that failed it', () => {
  const rolledBack = { update: { phase: 'RolledBack' as const, version: '2.0.0', attempt: 1, since } };
  const changes = [
    { node: node('failed', { status: rolledBack }), next: {} },
    { node: node('staged', {}), next: {} },
    { node: node('moved-on', {}), next: { version: '2.0.1', payload, attempt: 1 } },
    { node: node('idle', { wanted: {} }), next: { version: '2.0.1', payload, attempt: 1 } },
  ];
  const { withdrawals, failures, rest } = inStages(changes);
  assert.deepEqual(
    withdrawals.map((change) => change.node.name),
    ['staged', 'moved-on'],
  );
  assert.deepEqual(
    failures.map((change) => change.node.name),
    ['failed'],
  );
  assert.deepEqual(
    rest.map((change) => change.node.name),
    ['idle'],
  );
});
