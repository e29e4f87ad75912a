import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeClient } from '#runtime/client/client.ts';
import { kubeCluster } from './kube-cluster.ts';

/** Notes the bodies of writes in place of a server. */
function recorder() {
  const bodies: { metadata?: { uid?: string; resourceVersion?: string } }[] = [];
  const note = (_path: string, body: object) => {
    bodies.push(body);
    return Promise.resolve({});
  };
  const client = { mergePatch: note, apply: note, replace: note } as unknown as KubeClient;
  return { bodies, cluster: kubeCluster(client, new AbortController().signal) };
}

const OF = { name: 'n', uid: 'u', resourceVersion: '7' };

for (const [what, write] of [
  ['a lock', (cluster) => cluster.writeLock(OF, { holders: [] })],
  ['a Node', (cluster) => cluster.patchNode(OF, true, { a: 'b' })],
  ['a NodeState', (cluster) => cluster.applyReboot(OF, {})],
] as [string, (cluster: ReturnType<typeof kubeCluster>) => Promise<unknown>][]) {
  test(`a write of ${what} names the very version that it was decided on`, async () => {
    const { bodies, cluster } = recorder();
    await write(cluster);
    assert.equal(bodies.length, 1);
    assert.equal(bodies[0]?.metadata?.uid, 'u');
    assert.equal(bodies[0]?.metadata?.resourceVersion, '7');
  });
}
