import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { API_VERSION, CORDON_ANNOTATION, KEEP_CORDONED_ANNOTATION, resourcePath } from '#api/group.ts';
import type { NodeState, RebootLock } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { Lease } from '#runtime/leader/lease.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { guarded, type GuardedProcess } from '#test/cluster/guardian.ts';
import { until } from '#test/cluster/until.ts';
import { installChart, NAMESPACE, startReplica, type ReplicaProcess } from '../simulation/installed.ts';
import { ScriptedNodes } from '../simulation/scripted-node.ts';
import { Tenure } from '#operators/leave/tenure.ts';
import { LONG_LEASE, QUICK_LEASE, Replicas } from '#operators/testing/replicas.ts';

/** Two replicas of the real operator, a person who uninstalls them, with the rights that the chart gives. */

const NODES = ['draining', 'granted', 'rebooting', 'kept', 'foreign', 'idle'];
const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/careen-reboot-lock`;
const MAIN = new URL('../main.ts', import.meta.url).pathname;

let cluster: Cluster;
let client: KubeClient;
let nodes: ScriptedNodes;
let operator: string;
const replicas = new Replicas<ReplicaProcess>();
/** Lets the machine that reboots come back. */
const up = Promise.withResolvers<void>();

before(async () => {
  cluster = await startCluster();
  client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'leave-test', qps: 500 });
  operator = await installChart(cluster, client);
  nodes = new ScriptedNodes(client);
  await cluster.defaultServiceAccount();
  await Promise.all(NODES.map((name) => nodes.join(name, { pool: 'main' })));
  const reboot = { maxUnavailable: 5, minReadySeconds: 0 };
  const spec = { nodeSelector: {}, reboot };
  const group = { apiVersion: API_VERSION, kind: 'NodeGroup', metadata: { name: 'main' }, spec };
  await client.create(resourcePath('NodeGroup'), group);
  for (const name of ['a', 'b']) await replicas.start(name, () => startReplica(operator, name, QUICK_LEASE));
  await turns();
});

after(async () => {
  await replicas.stop();
  await nodes?.stop();
  await client?.close();
  await cluster?.stop();
});

/** Nodes at every point of their turns. */
async function turns(): Promise<void> {
  nodes.deaf.add('granted').add('kept');
  nodes.stayDown = up.promise;
  await client.mergePatch('/api/v1/nodes/foreign', { spec: { unschedulable: true } });
  await blockingPod('draining');
  for (const name of ['draining', 'granted', 'rebooting', 'kept']) await nodes.request(name);
  await until('one drains, two are granted, one reboots', allBegun, { timeoutMs: 180_000 });
  const annotations = { [KEEP_CORDONED_ANNOTATION]: '' };
  await client.mergePatch('/api/v1/nodes/kept', { metadata: { annotations } });
}

async function allBegun(): Promise<boolean> {
  const found = await Promise.all(['draining', 'granted', 'kept'].map((name) => node(name)));
  const grants = await Promise.all(['granted', 'kept'].map((name) => state(name)));
  return (
    found.every(({ spec }) => spec?.unschedulable === true) &&
    grants.every(({ spec }) => spec.reboot?.grant !== undefined) &&
    (await state('rebooting')).status?.update?.phase === 'Rebooting'
  );
}

async function blockingPod(nodeName: string): Promise<void> {
  const containers = [{ name: 'c', image: 'example.com/none' }];
  const spec = { nodeName, containers, tolerations: [{ operator: 'Exists' }] };
  await client.create('/api/v1/namespaces/default/pods', { metadata: { name: 'naked' }, spec });
}

const node = (name: string) => client.get<Node>(`/api/v1/nodes/${name}`);
const state = (name: string) => client.get<NodeState>(resourcePath('NodeState', name));

async function start(more: readonly string[]): Promise<GuardedProcess> {
  const args = ['--kubeconfig', operator, '--namespace', NAMESPACE, '--identity', 'uninstall', ...more];
  return guarded(process.execPath, [MAIN, 'leave', ...args], { stdout: 'pipe', stderr: 'pipe' });
}

async function leave(more: readonly string[] = []) {
  const run = await start([...LONG_LEASE, ...more]);
  const [lines, errors, status] = await Promise.all([text(run.stdout!), text(run.stderr!), run.exited]);
  return { lines, errors, status };
}

async function nothingLeft(): Promise<void> {
  for (const name of NODES) {
    const { metadata, spec } = await node(name);
    assert.equal(metadata.annotations?.[CORDON_ANNOTATION], undefined, `${name} has our mark`);
    assert.equal(
      spec?.unschedulable === true,
      ['foreign', 'kept'].includes(name),
      `${name} is cordoned or not`,
    );
  }
}

test('a run that is killed, and killed again, is gone on with by the next one', async () => {
  for (const ms of [1500, 3600]) {
    const run = await start(QUICK_LEASE);
    await delay(ms); // The moment at which it is killed, not a wait for something.
    await run.kill();
  }
});

test('it takes the lead from a living leader and takes back all that is careen’s, line by line', async () => {
  const { lines, errors, status } = await leave(['--keep-out', '1h']);
  assert.equal(status, 0, lines + errors);
  assert.match(
    lines,
    /nothing of careen's is left on any Node; no careen-reboot-lock acts before .*: delete it now\n$/,
  );
  await nothingLeft();
  for (const name of ['granted', 'kept', 'draining'])
    assert.deepEqual((await state(name)).spec.reboot ?? {}, {});
  const { status: lock } = await client.get<RebootLock>(resourcePath('RebootLock', 'main'));
  assert.ok((lock?.holders ?? []).every(({ id }) => id === 'rebooting'));
});

test('operators that still run do not act again, and a node that was rebooting comes back uncordoned', async () => {
  nodes.stayDown = undefined;
  up.resolve();
  await until('it is back', async () => (await state('rebooting')).status?.update?.phase === 'Succeeded');
  await nodes.request('idle');
  await delay(5000); // The span that is observed, longer than the operators' own lease.
  await nothingLeft();
  const { holderIdentity, leaseDurationSeconds } = (await client.get<Lease>(LEASE)).spec ?? {};
  assert.match(holderIdentity ?? '', /^left_/);
  assert.equal(leaseDurationSeconds, 3600);
});

test('it is run again without harm, finds what the node had that was away, and waits for nobody then', async () => {
  const { lines, errors, status } = await leave();
  assert.equal(status, 0, lines + errors);
  assert.deepEqual(lines.trim().split('\n').slice(0, -1), [
    'rebooting: grant withdrawn',
    'RebootLock main: given back the places of rebooting',
  ]);
});

test('while another one is at work it waits, and gives up in time with a message', async () => {
  const other = KubeClient.load({ kubeconfig: operator, userAgent: 'leave-test' });
  const pace = { leaseDurationMs: 20_000, renewDeadlineMs: 15_000, retryPeriodMs: 300 };
  const said: string[] = [];
  const tenure = new Tenure({
    client: other,
    namespace: NAMESPACE,
    name: 'careen-reboot-lock',
    identity: 'other',
    ...pace,
    say: (line) => said.push(line),
  });
  await tenure.take(new AbortController().signal);
  const { errors, status } = await leave(['--timeout', '4s']);
  assert.equal(status, 1);
  assert.match(errors, /not done within 4 s, the operator goes on as before; .*run it again/);
  tenure.fence();
  await tenure.giveBack();
  await other.close();
});

test('an operator that was not deleted goes on when the Lease is free', async () => {
  nodes.hear();
  await client.delete('/api/v1/namespaces/default/pods/naked', { gracePeriodSeconds: 0 });
  await until(
    'everybody who asked has rebooted',
    async () => {
      const states = await Promise.all(['draining', 'granted', 'idle'].map((name) => state(name)));
      return states.every(({ status }) => status?.update?.phase === 'Succeeded');
    },
    { timeoutMs: 180_000 },
  );
  assert.deepEqual(nodes.failures, []);
});

test('when the operator is deleted with its account, its Lease goes as well', async () => {
  await replicas.stop();
  const { status, lines, errors } = await leave();
  assert.equal(status, 0, lines + errors);
  const { metadata } = await client.get<Lease>(LEASE);
  assert.equal(metadata.ownerReferences?.[0]?.name, 'careen-reboot-lock');
  await client.delete(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts/careen-reboot-lock`);
  await until('the Lease is gone', async () => {
    const found = await client.get<Lease>(LEASE).catch((error: unknown) => error);
    return isKubeError(found, 'NotFound');
  });
});
