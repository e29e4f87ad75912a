import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { API_VERSION, resourcePath } from '#api/group.ts';
import type { Node } from '#api/meta.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { Informer } from '#runtime/informer/informer.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { installChart, startReplica, type ReplicaProcess } from '../simulation/installed.ts';
import { ScriptedNodes } from '../simulation/scripted-node.ts';

/** A replica of the real operator with the rights that the chart gives it for conditions; machines are scripted. */

const NODES = ['n0', 'n1', 'n2'];
/** Longer than a lease, for what comes after a leader that did not let go of it. */
const PATIENT = { timeoutMs: 180_000 };
const STALE = { type: 'Drained', status: 'True', reason: 'CareenDrained', message: '' };
const FOREIGN = { type: 'Drained', status: 'True', reason: 'NodeMaintenance', message: '' };

let cluster: Cluster;
let client: KubeClient;
let nodes: ScriptedNodes;
let watched: Informer<Node>;
let operator: string;
let replica: ReplicaProcess;
/** What each node said of its turn, in the order in which it did. */
const story = new Map<string, string[]>();

before(async () => {
  cluster = await startCluster();
  client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'condition-test', qps: 500 });
  operator = await installChart(cluster, client, ['rebootLock.nodeConditions=true']);
  nodes = new ScriptedNodes(client);
  nodes.downMs = 1500;
  watched = new Informer<Node>({ client, path: '/api/v1/nodes', onChange: (name, node) => note(name, node) });
  watched.start();
  await cluster.defaultServiceAccount();
  await Promise.all(NODES.map((name) => nodes.join(name)));
  const spec = { nodeSelector: {}, reboot: { maxUnavailable: 1, minReadySeconds: 0 } };
  const group = { apiVersion: API_VERSION, kind: 'NodeGroup', metadata: { name: 'all' }, spec };
  await client.create(resourcePath('NodeGroup'), group);
});

after(async () => {
  await replica?.stop();
  await nodes?.stop();
  await watched?.stop();
  await client?.close();
  await cluster?.stop();
});

function said({ status }: Node): string {
  const ours = (status?.conditions ?? []).filter(({ reason }) => reason?.startsWith('Careen'));
  return ours
    .map(({ type }) => type)
    .toSorted()
    .join(' ');
}

function note(name: string, node: Node): void {
  const told = story.get(name) ?? [];
  if (told.at(-1) !== said(node)) story.set(name, [...told, said(node)]);
}

const node = (name: string) => client.get<Node>(`/api/v1/nodes/${name}`);

/** As another program applies its conditions. */
function says(name: string, condition: object, fieldManager: string) {
  const body = { apiVersion: 'v1', kind: 'Node', metadata: { name }, status: { conditions: [condition] } };
  return client.apply(`/api/v1/nodes/${name}/status`, body, { fieldManager, force: true });
}

const DRAINING = 'DrainInProgress MaintenancePlanned';
const DOWN = 'Drained MaintenanceInProgress MaintenancePlanned';

test('a leader that starts removes what an earlier one left, and leaves the conditions of others', async () => {
  await says('n0', STALE, 'careen-reboot-lock');
  await says('n1', FOREIGN, 'somebody');
  replica = await startReplica(operator, 'a', ['--node-conditions']);
  await until('it is removed', async () => said(await node('n0')) === '');
  await watchedUpTo('n0');
  const { status } = await node('n1');
  assert.equal(status?.conditions?.find(({ type }) => type === 'Drained')?.reason, 'NodeMaintenance');
});

test('a turn is told in three writes: it drains, it is down, it is over', async () => {
  story.clear();
  await blockingPod('n0');
  await nodes.request('n0');
  // Each lasts long enough to be told: what is over before that need not be.
  await until('it drains', async () => said(await node('n0')) === DRAINING);
  await client.delete('/api/v1/namespaces/default/pods/naked', { gracePeriodSeconds: 0 });
  await until(
    'it has rebooted and says nothing more',
    async () => nodes.reboots.length === 1 && (await over('n0')),
    PATIENT,
  );
  await watchedUpTo('n0');
  assert.deepEqual(
    story.get('n0')?.filter((told) => told !== ''),
    [DRAINING, DOWN],
  );
  assert.ok(
    (await node('n0')).status?.conditions?.some(({ type }) => type === 'Ready'),
    'the kubelet keeps its own',
  );
});

/** Until our own watch has seen the node as it is now. */
async function watchedUpTo(name: string): Promise<void> {
  const now = version(await node(name));
  await until('the watch has seen it', () => version(watched.get(name)) >= now);
}

function version(of: Node | undefined): bigint {
  return BigInt(of?.metadata.resourceVersion ?? 0);
}

async function blockingPod(nodeName: string): Promise<void> {
  const containers = [{ name: 'c', image: 'example.com/none' }];
  const spec = { nodeName, containers, tolerations: [{ operator: 'Exists' }] };
  await client.create('/api/v1/namespaces/default/pods', { metadata: { name: 'naked' }, spec });
}

async function over(name: string): Promise<boolean> {
  const { spec, status } = await node(name);
  return spec?.unschedulable !== true && said({ metadata: { name }, status: status ?? {} }) === '';
}

test('a node on which another tool says Drained keeps it, and reboots all the same', async () => {
  await nodes.request('n1');
  await until('it has rebooted', async () => nodes.reboots.length === 2 && (await over('n1')), PATIENT);
  const { status } = await node('n1');
  assert.equal(status?.conditions?.find(({ type }) => type === 'Drained')?.reason, 'NodeMaintenance');
});

test('a leader that is killed in the middle of a turn leaves nothing wrong behind', async () => {
  nodes.deaf.add('n2');
  await nodes.request('n2');
  await until('it is drained', async () => said(await node('n2')) === DOWN);
  replica.signal('SIGKILL');
  await replica.exited;
  await nodes.report('n2', 'Succeeded', false);
  replica = await startReplica(operator, 'b', ['--node-conditions']);
  await until('the turn is called off and told so', () => over('n2'), PATIENT);
});

test('an operator without the flag removes what one with it left', async () => {
  await replica.stop();
  await says('n0', STALE, 'careen-reboot-lock');
  replica = await startReplica(operator, 'c');
  await until('it is removed', async () => said(await node('n0')) === '', PATIENT);
  assert.deepEqual(nodes.failures, []);
});
