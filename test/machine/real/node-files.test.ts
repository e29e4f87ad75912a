import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeFiles } from './node-files.ts';
import { nodeIdentity } from './node-identity.ts';

const pair = { cert: 'cert', key: 'key' };
const setup = {
  identity: nodeIdentity('worker2', 2),
  caPem: 'ca',
  client: pair,
  serving: pair,
  labels: { pool: 'test', 'topology.kubernetes.io/zone': 'a' },
  taints: [{ key: 'x', effect: 'NoSchedule' }],
};

test('no two nodes of a fleet share an address, a range of pods, a card or a cable', () => {
  const identities = Array.from({ length: 200 }, (_, index) => nodeIdentity(`n${index + 1}`, index + 1));
  for (const key of ['address', 'podRange', 'mac', 'cable'] as const) {
    assert.equal(new Set(identities.map((identity) => identity[key])).size, 200, key);
  }
  assert.ok(identities.every(({ cable }) => cable.length <= 15));
});

test('the kubelet is told its name, address and labels, and the API server as pods reach it', () => {
  const files = nodeFiles(setup);
  assert.equal(
    files['etc/kubernetes/kubelet.env'],
    'NODE=worker2\nIP=10.99.0.12\nNODE_LABELS=pool=test,topology.kubernetes.io/zone=a\n',
  );
  assert.match(files['etc/kubernetes/kubeconfig'] ?? '', /https:\/\/10\.96\.0\.1:443/u);
  const config = JSON.parse(files['etc/kubernetes/kubelet.yaml'] ?? '') as { registerWithTaints: object[] };
  assert.deepEqual(config.registerWithTaints, setup.taints);
});

test('every node has a machine ID of its own', () => {
  const [one, other] = [nodeFiles(setup), nodeFiles(setup)].map((files) => files['etc/machine-id'] ?? '');
  assert.match(one ?? '', /^[0-9a-f]{32}\n$/u);
  assert.notEqual(one, other);
});
