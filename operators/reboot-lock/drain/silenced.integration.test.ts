import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { drainPolicy } from '#api/node-group.ts';
import type { Pod } from '#api/meta.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { kubeCluster } from '../cluster/kube-cluster.ts';
import { Drain } from './drain.ts';

/** What an API server that was away leaves behind for some seconds: pods marked as not Ready, budgets not counted anew. */
const NODE = 'n0';
const NAME = 'web';
const PODS = '/api/v1/namespaces/default/pods';
const BUDGET = `/apis/policy/v1/namespaces/default/poddisruptionbudgets/${NAME}`;
/** A pod without a controller is evicted as well. */
const POLICY = drainPolicy.parse({ force: true });

let cluster: Cluster;
let client: KubeClient;
/** When the pod was marked last; no pass is later. */
let now = 0;

before(async () => {
  cluster = await startCluster();
  client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'drain-test', qps: 500 });
  await cluster.defaultServiceAccount();
  await client.create('/api/v1/nodes', { metadata: { name: NODE } });
});

after(async () => {
  await client?.close();
  await cluster?.stop();
});

test('a pod that its budget keeps stays, although the API server would let it go while its node is taken for lost', async () => {
  await placeKept();
  // Nobody counts any more, as when the controllers have not yet found back to the API server.
  process.kill(cluster.pids.controllerManager, 'SIGSTOP');
  assert.match(
    await blockedBy(),
    /PodDisruptionBudget default\/web needs 1 healthy pods and has 1 currently/,
  );
  await mark(false);
  assert.match(await blockedBy(), /web was not heard of while its node was silent/);
  assert.equal((await pod()).metadata.deletionTimestamp, undefined, 'it was evicted');
  await mark(true);
  assert.match(await blockedBy(), /PodDisruptionBudget/);

  await mark(false);
  await client.create(`${PODS}/${NAME}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: NAME },
  });
  assert.notEqual(
    (await pod()).metadata.deletionTimestamp,
    undefined,
    'the API server would not have let it go',
  );
});

/** What holds up the first pass of a drain, which knows of no refusal. */
async function blockedBy(): Promise<string> {
  const signal = new AbortController().signal;
  const drain = new Drain({
    cluster: kubeCluster(client, signal),
    node: NODE,
    now: () => now,
    held: () => false,
  });
  return (await drain.pass(POLICY, false)).blocked?.message ?? '';
}

function pod(): Promise<Pod> {
  return client.get<Pod>(`${PODS}/${NAME}`);
}

/** A pod that runs and a budget that needs it, counted. */
async function placeKept(): Promise<void> {
  const metadata = { name: NAME, namespace: 'default', labels: { app: NAME } };
  const budget = { minAvailable: 1, selector: { matchLabels: metadata.labels } };
  await client.create('/apis/policy/v1/namespaces/default/poddisruptionbudgets', { metadata, spec: budget });
  const containers = [{ name: 'c', image: 'example.com/none' }];
  const tolerations = [{ operator: 'Exists' }];
  await client.create(PODS, { metadata, spec: { nodeName: NODE, containers, tolerations } });
  await mark(true);
  await until('the budget counts the pod', async () => {
    const { status } = await client.get<{ status?: { currentHealthy?: number } }>(BUDGET);
    return status?.currentHealthy === 1;
  });
}

/** As the kubelet reports it, and as the node controller changes that: its containers are as they were. */
async function mark(ready: boolean): Promise<void> {
  now = Date.now();
  const lastTransitionTime = new Date(now).toISOString();
  const conditions = [
    { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime },
    { type: 'ContainersReady', status: 'True' },
  ];
  await client.mergePatch(`${PODS}/${NAME}/status`, { status: { phase: 'Running', conditions } });
}
