import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#api/meta.ts';
import type { CallOptions, KubeClient } from '#runtime/client/client.ts';
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

const pod: Pod = { metadata: { name: 'a', namespace: 'default', uid: '1' } };

test('an eviction that was sent is waited for by a leader that ends, and no other is begun', async () => {
  const ending = new AbortController();
  const answer = Promise.withResolvers<void>();
  const sent: (CallOptions | undefined)[] = [];
  const create = (_path: string, _body: unknown, _query: unknown, options?: CallOptions) => {
    sent.push(options);
    const { promise, reject } = answer;
    options?.signal?.addEventListener('abort', () => reject(options.signal?.reason));
    return promise;
  };
  const cluster = kubeCluster({ create } as unknown as KubeClient, ending.signal);
  const first = cluster.evict(pod, undefined);
  ending.abort(new Error('another leads'));
  answer.resolve();
  await first;
  await assert.rejects(cluster.evict(pod, undefined), /another leads/);
  assert.equal(sent.length, 1);
});
