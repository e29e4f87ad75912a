import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '#api/meta.ts';
import { nodeStatus, type NodeFacts } from './node-object.ts';

const facts: NodeFacts = {
  name: 'n1',
  hostIP: '10.0.0.1',
  labels: {},
  taints: [],
  bootID: 'boot-1',
  machineID: 'm',
  kernel: '6',
  osImage: 'Test 1.0.0',
};
const ready = { ready: true, reason: 'KubeletReady', message: '' };
const now = '2026-01-01T00:00:00Z';

test('a new node gets a whole status, and then nothing more is written', () => {
  const node: Node = { metadata: { name: 'n1' } };
  const status = nodeStatus(node, facts, ready, now);
  assert.equal(status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  assert.equal(nodeStatus({ ...node, ...(status && { status }) }, facts, ready, now), undefined);
});

test('a new boot is written', () => {
  const node = posted();
  const status = nodeStatus(node, { ...facts, bootID: 'boot-2' }, ready, now);
  assert.equal(status?.nodeInfo?.bootID, 'boot-2');
});

test("the controller's Unknown is corrected, and conditions of others stay", () => {
  const node = posted();
  const others = { type: 'MaintenancePlanned', status: 'True' } as const;
  const guessed = node.status!.conditions!.map((each) => ({ ...each, status: 'Unknown' as const }));
  const next = { ...node, status: { ...node.status, conditions: [others, ...guessed] } };
  const status = nodeStatus(next, facts, ready, now);
  assert.deepEqual(status?.conditions?.[0], others);
  assert.ok(status?.conditions?.slice(1).every((each) => each.status !== 'Unknown'));
});

test('an unhealthy system says that it is not ready', () => {
  const broken = { ready: false, reason: 'KubeletNotReady', message: '' };
  const status = nodeStatus({ metadata: { name: 'n1' } }, facts, broken, now);
  assert.equal(status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'False');
});

function posted(): Node {
  const node: Node = { metadata: { name: 'n1' } };
  return { ...node, status: nodeStatus(node, facts, ready, now)! };
}
