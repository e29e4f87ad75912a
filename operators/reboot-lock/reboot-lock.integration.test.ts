import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CORDON_ANNOTATION, resourcePath, type Kind } from '#api/group.ts';
import type { NodeGroup, NodeState, RebootLock, RebootWindow } from '#api/kinds.ts';
import { isReady, type KubeObject, type Node } from '#api/meta.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { Informer } from '#runtime/informer/informer.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { startFaultProxy } from '#test/cluster/faults/proxy.ts';
import { until } from '#test/cluster/until.ts';
import { kubeCluster } from './cluster/kube-cluster.ts';
import { View } from './cluster/view.ts';
import { Round } from './lock/round.ts';
import { installChart, startReplica, type ReplicaProcess } from './simulation/installed.ts';
import { ScriptedNodes } from './simulation/scripted-node.ts';
import { Replicas } from '#operators/testing/replicas.ts';
import { applyObject } from '#operators/testing/serving.ts';

/** Two replicas of the real operator, with the rights that the chart gives it; machines are scripted. */

const NODES = ['n0', 'n1', 'n2', 'n3', 'n4'];
/** Longer than a lease, for what comes after a leader that did not let go of it. */
const PATIENT = { timeoutMs: 180_000 };

let cluster: Cluster;
let client: KubeClient;
let nodes: ScriptedNodes;
let watched: Informer<Node>;
let operator: string;
let mostDown = 0;
const replicas = new Replicas<ReplicaProcess>();

before(async () => {
  cluster = await startCluster();
  client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'reboot-lock-test', qps: 500 });
  operator = await installChart(cluster, client);
  nodes = new ScriptedNodes(client);
  watched = new Informer<Node>({
    client,
    path: '/api/v1/nodes',
    onChange: () => (mostDown = Math.max(mostDown, down().length)),
  });
  watched.start();
  await cluster.defaultServiceAccount();
  await Promise.all(NODES.map((name) => nodes.join(name, { pool: 'main' })));
  await Promise.all([start('a'), start('b')]);
});

after(async () => {
  await replicas.stop();
  await nodes?.stop();
  await watched?.stop();
  await client?.close();
  await cluster?.stop();
});

beforeEach(async () => {
  await until('nobody is away', () => down().length === 0);
  mostDown = 0;
  await group({ maxUnavailable: 2, minReadySeconds: 0, drain: { force: true } });
});

test('a group gets its lock, the control plane its own, and both say what they cover', async () => {
  const lock = await eventually<RebootLock>(
    'RebootLock',
    'main',
    ({ status }) => status?.covered === NODES.length,
  );
  assert.equal(lock.status?.max, 2);
  assert.equal(lock.metadata.ownerReferences?.[0]?.kind, 'NodeGroup');
  assert.equal(lock.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  await eventually<RebootLock>('RebootLock', 'control-plane', ({ status }) => status?.max === 1);
});

test('five nodes reboot two at a time, and then no careen object is written any more', async () => {
  const versions = await objectVersions();
  nodes.downMs = 2000; // so long that the second one is told before the first one is back
  await Promise.all(NODES.map((name) => nodes.request(name)));
  await allDone(5);
  nodes.downMs = 300;
  assert.ok(mostDown <= 2, `${mostDown} were down at once`);
  assert.ok(mostDown === 2, 'the budget was used');
  assert.deepEqual(nodes.failures, []);
  await settled();
  const after = await objectVersions();
  assert.notDeepEqual(versions, after);
  await delay(3000); // The span that is observed, not a wait for something.
  assert.deepEqual(await objectVersions(), after);
});

test('two replicas that both believe to lead never take more places than there are', async () => {
  for (const replica of replicas.all()) replica.signal('SIGSTOP');
  for (const { pid } of replicas.all())
    await until('it is stopped', async () => (await processState(pid)) === 'T');
  const rounds = await Promise.all(['x', 'y', 'z'].map((name) => roundOf(name)));
  await Promise.all(NODES.map((name) => nodes.request(name)));
  for (let attempt = 0; attempt < 4; attempt++) await Promise.all(rounds.map(({ round }) => round()));
  const { status } = await get<RebootLock>('RebootLock', 'main');
  assert.equal(status?.holders?.length, 2);
  await Promise.all(rounds.map(({ stop }) => stop()));
  for (const replica of replicas.all()) replica.signal('SIGCONT');
  await allDone(5);
  assert.ok(mostDown <= 2);
});

test('a pod that its budget keeps is named with it in NodeState; the others go on, and it goes when it may', async () => {
  await kept('web', 'n0');
  await nodes.request('n0');
  const state = await eventually<NodeState>(
    'NodeState',
    'n0',
    ({ spec }) => spec.reboot?.hold?.reason === 'DrainBlocked',
  );
  assert.match(
    state.spec.reboot?.hold?.message ?? '',
    /pod default\/web cannot leave: PodDisruptionBudget default\/web needs 1 healthy pods and has 1 currently/,
  );
  await until('the node has an event', async () => {
    const { items } = await client.list<{ reason: string }>('/apis/events.k8s.io/v1/events');
    return items.some(({ reason }) => reason === 'DrainBlocked');
  });
  stuck.add('n0');
  await nodes.request('n1');
  await allDone(1);
  assert.equal(nodes.reboots.at(-1), 'n1');
  stuck.clear();
  await client.delete('/apis/policy/v1/namespaces/default/poddisruptionbudgets/web');
  await allDone(1);
});

test('onTimeout Skip gives the place back, uncordons and tries later', async () => {
  await group({ drain: { timeout: '1s', onTimeout: 'Skip' } });
  await nodes.join('spare', { pool: 'main' });
  await kept('skipped', 'spare');
  await nodes.request('spare');
  const { spec } = await eventually<NodeState>(
    'NodeState',
    'spare',
    ({ spec }) => spec.reboot?.notBefore !== undefined,
  );
  assert.equal(spec.reboot?.hold?.reason, 'Skipped');
  await eventually<Node>('Node', 'spare', (node) => node.spec?.unschedulable !== true);
  await eventually<RebootLock>('RebootLock', 'main', ({ status }) => status?.holders?.length === 0);
  await client.delete(resourcePath('NodeState', 'spare'));
  await client.delete('/api/v1/nodes/spare');
  await gone('skipped');
});

test('onTimeout Force deletes what its budget keeps, and reboots', async () => {
  await group({ minReadySeconds: 0, drain: { timeout: '1s', onTimeout: 'Force' } });
  await kept('forced', 'n1');
  await nodes.request('n1');
  await allDone(1);
  await gone('forced');
});

test('a foreign cordon stays, counts, and is named in the status of the lock', async () => {
  await cordon('n2');
  await cordon('n3');
  await nodes.request('n4');
  const { status } = await eventually<RebootLock>(
    'RebootLock',
    'main',
    (lock) => lock.status?.waiting?.[0]?.reason === 'LockFull',
  );
  assert.deepEqual(
    status?.unavailable,
    ['n2', 'n3'].map((node) => ({ node, why: 'cordoned by others' })),
  );
  const { spec } = await eventually<NodeState>(
    'NodeState',
    'n4',
    ({ spec }) => spec.reboot?.hold !== undefined,
  );
  assert.equal(spec.reboot?.hold?.reason, 'LockFull');
  await client.mergePatch('/api/v1/nodes/n3', { spec: { unschedulable: null } });
  await allDone(1);
  assert.equal((await get<Node>('Node', 'n2')).spec?.unschedulable, true);
  await client.mergePatch('/api/v1/nodes/n2', { spec: { unschedulable: null } });
});

test('what was held against a node is taken back when it asks no more', async () => {
  await cordon('n2');
  await cordon('n3');
  await nodes.request('n4');
  await eventually<NodeState>('NodeState', 'n4', ({ spec }) => spec.reboot?.hold !== undefined);
  await nodes.report('n4', 'Succeeded', false);
  await eventually<NodeState>('NodeState', 'n4', ({ spec }) => spec.reboot?.hold === undefined);
  await uncordon('n2');
  await uncordon('n3');
});

test('a status that is wiped while nodes are under way is rebuilt before anything is given', async () => {
  // Nobody gives a place back meanwhile: a third node might have just taken it and show no cordon yet.
  for (const name of NODES) nodes.deaf.add(name);
  await Promise.all(NODES.map((name) => nodes.request(name)));
  await until('two are cordoned', () => down().length === 2);
  await client.mergePatch(`${resourcePath('RebootLock', 'main')}/status`, {
    status: { holders: null, max: null },
  });
  nodes.hear();
  await allDone(5);
  assert.ok(mostDown <= 2, `${mostDown} were down at once`);
});

test('the leader is killed in the middle, again and again; the other one goes on within the budget', async () => {
  await Promise.all(NODES.map((name) => nodes.request(name)));
  const from = nodes.reboots.length;
  for (const name of ['a', 'b']) {
    await until('somebody reboots', () => nodes.reboots.length > from || down().length > 0, {
      timeoutMs: 60_000,
    });
    await replicas.kill(name);
    await start(name);
  }
  await allDone(5);
  assert.ok(mostDown <= 2, `${mostDown} were down at once`);
});

test('a window says when it opens, holds its nodes with a reason, and lets them go when it is gone', async () => {
  const allow = [{ start: tomorrow(), duration: '1h', timeZone: 'UTC' }];
  await apply('RebootWindow', 'later', { nodeSelector: {}, allow });
  const { status } = await eventually<RebootWindow>(
    'RebootWindow',
    'later',
    ({ status }) => status?.open === false,
  );
  assert.equal(status?.openings?.length, 5);
  assert.equal(status?.nextOpen, status?.openings?.[0]?.from);
  await nodes.request('n0');
  await eventually<RebootLock>(
    'RebootLock',
    'main',
    ({ status }) => status?.waiting?.[0]?.reason === 'WindowClosed',
  );
  await apply('RebootWindow', 'later', { nodeSelector: {}, allow: [{ ...allow[0], timeZone: 'Mars/Base' }] });
  await eventually<RebootWindow>(
    'RebootWindow',
    'later',
    ({ status }) => status?.conditions?.some(({ type }) => type === 'Stalled') === true,
  );
  await eventually<RebootLock>(
    'RebootLock',
    'main',
    ({ status }) => status?.waiting?.[0]?.reason === 'WindowInvalid',
  );
  await client.delete(resourcePath('RebootWindow', 'later'));
  await allDone(1);
});

test('the metrics of the leader name the reason of a waiting node over HTTP', async () => {
  await cordon('n2');
  await cordon('n3');
  await nodes.request('n4');
  await until('the reason is a metric', () => measured('careen_reboot_waiting_nodes{reason="LockFull"} 1'));
  await until('so are the places', () => measured('careen_lock_max{lock="main"} 2'));
  await until('so is who is away', () => measured('careen_lock_unavailable{lock="main"} 2'));
  await uncordon('n2');
  await uncordon('n3');
  await allDone(1);
  await until('nobody waits', () => measured('careen_reboot_waiting_nodes{reason="LockFull"} 0'));
});

test('a place is kept until the node was Ready for minReadySeconds', async () => {
  await group({ minReadySeconds: 4, drain: { force: true } });
  await nodes.request('n0');
  await allDone(1);
  const kept = performance.now() - (nodes.backAt.get('n0') ?? Infinity);
  assert.ok(kept > 3000, `the place was kept for ${kept} ms; instants in a Node are whole seconds`);
});

test('while a watch is frozen nothing is granted and the reason is told; then it goes on', async () => {
  await replicas.stop();
  const deny = [{ from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' }];
  await apply('RebootWindow', 'open', { nodeSelector: {}, deny });
  const proxy = await startFaultProxy(cluster);
  const beat = setInterval(() => void heartbeat().catch(() => undefined), 1000);
  try {
    await cordon('n2');
    await cordon('n3');
    await start('c', await proxy.kubeconfig(operator), ['--oldest-view', '6s']);
    await nodes.request('n1');
    await until('n1 waits', () => measured('careen_reboot_waiting_nodes{reason="LockFull"} 1'), PATIENT);
    proxy.fault({ kind: 'freeze-watch', match: { path: '/api/v1/nodes' } });
    proxy.breakWatches({ path: '/api/v1/nodes' });
    const stale = 'careen_reboot_waiting_nodes{reason="SnapshotStale"} 1';
    await until('the view is too old', () => measured(stale), PATIENT);
    await uncordon('n2');
    await uncordon('n3');
    await delay(3000); // The span that is observed, not a wait for something.
    assert.deepEqual((await get<RebootLock>('RebootLock', 'main')).status?.holders, []);
    proxy.clear();
    proxy.breakWatches({ path: '/api/v1/nodes' });
    await allDone(1);
    assert.equal(nodes.reboots.at(-1), 'n1');
  } finally {
    clearInterval(beat);
    await replicas.stop();
    await proxy.close();
  }
});

function start(name: string, kubeconfig = operator, more: string[] = []): Promise<void> {
  return replicas.start(name, () => startReplica(kubeconfig, name, more));
}

/** `T` is stopped: proc_pid_stat(5). */
async function processState(pid: number): Promise<string | undefined> {
  return (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.[0];
}

/** A decider of its own on the administrator's connection, beside the operator's replicas. */
async function roundOf(identity: string) {
  const informers = {
    nodes: new Informer<Node>({ client, path: '/api/v1/nodes' }),
    states: new Informer<NodeState>({ client, path: resourcePath('NodeState') }),
    groups: new Informer<NodeGroup>({ client, path: resourcePath('NodeGroup') }),
    locks: new Informer<RebootLock>({ client, path: resourcePath('RebootLock') }),
  };
  for (const informer of Object.values(informers)) informer.start();
  await Promise.all(Object.values(informers).map((informer) => informer.synced()));
  const backing = kubeCluster(client, new AbortController().signal);
  const caches = {
    nodes: () => informers.nodes.list(),
    states: () => informers.states.list(),
    groups: () => informers.groups.list(),
    locks: () => informers.locks.list(),
    windows: () => [],
    stale: () => undefined,
  };
  const view = new View({
    caches,
    cluster: backing,
    identity,
    now: Date.now,
    monotonicMs: () => performance.now(),
  });
  const round = new Round(view, backing);
  return {
    round: async () => {
      await until('the requests are seen', () =>
        caches.states().every(({ status }) => status?.reboot?.requested === true),
      );
      view.changed();
      await round.run();
    },
    stop: async () => {
      await Promise.all(Object.values(informers).map((informer) => informer.stop()));
    },
  };
}

function down(): string[] {
  return watched
    .list()
    .filter((node) => node.spec?.unschedulable === true || !isReady(node))
    .map(({ metadata }) => metadata.name);
}

/** A running pod without a controller whose budget lets nobody go. */
async function kept(name: string, nodeName: string): Promise<void> {
  const metadata = { name, namespace: 'default', labels: { app: name } };
  const containers = [{ name: 'c', image: 'example.com/none' }];
  const tolerations = [{ operator: 'Exists' }];
  const budget = { minAvailable: 1, selector: { matchLabels: { app: name } } };
  await client.create('/apis/policy/v1/namespaces/default/poddisruptionbudgets', { metadata, spec: budget });
  await client.create('/api/v1/namespaces/default/pods', {
    metadata,
    spec: { nodeName, containers, tolerations },
  });
  const conditions = [{ type: 'Ready', status: 'True' }];
  await client.mergePatch(`/api/v1/namespaces/default/pods/${name}/status`, {
    status: { phase: 'Running', conditions },
  });
  await until('the budget counts the pod', async () => {
    const path = `/apis/policy/v1/namespaces/default/poddisruptionbudgets/${name}`;
    return (await client.get<{ status?: { currentHealthy?: number } }>(path)).status?.currentHealthy === 1;
  });
}

async function gone(name: string): Promise<void> {
  await client.delete(`/apis/policy/v1/namespaces/default/poddisruptionbudgets/${name}`);
  const { items } = await client.list<KubeObject>('/api/v1/namespaces/default/pods');
  for (const { metadata } of items)
    await client.delete(`/api/v1/namespaces/default/pods/${metadata.name}`, { gracePeriodSeconds: 0 });
}

/** Whether a replica's metrics have the line. */
async function measured(line: string): Promise<boolean> {
  const texts = replicas.all().map(async ({ port }) => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    return response.text();
  });
  const answers = await Promise.allSettled(texts);
  return answers.some((answer) => answer.status === 'fulfilled' && answer.value.split('\n').includes(line));
}

/** An event on every watch, so that a short age limit can be kept. */
async function heartbeat(): Promise<void> {
  const annotations = { beat: String(performance.now()) };
  const paths = [
    '/api/v1/nodes/n0',
    resourcePath('NodeState', 'n0'),
    resourcePath('NodeGroup', 'main'),
    resourcePath('RebootLock', 'control-plane'),
    resourcePath('RebootWindow', 'open'),
  ];
  await Promise.all(paths.map((path) => client.mergePatch(path, { metadata: { annotations } })));
}

function uncordon(name: string): Promise<Node> {
  return client.mergePatch<Node>(`/api/v1/nodes/${name}`, { spec: { unschedulable: null } });
}

function cordon(name: string): Promise<Node> {
  return client.mergePatch<Node>(`/api/v1/nodes/${name}`, { spec: { unschedulable: true } });
}

/** Waits until so many more nodes than before have rebooted and nothing of the turn is left on any of them. */
let counted = 0;
async function allDone(more: number): Promise<void> {
  counted += more;
  await until(`${counted} reboots are done`, async () => nodes.reboots.length >= counted && (await idle()), {
    timeoutMs: 240_000,
  });
  assert.equal(nodes.reboots.length, counted);
}

/** Nodes that a test keeps from finishing. */
const stuck = new Set<string>();

async function idle(): Promise<boolean> {
  const { status } = await get<RebootLock>('RebootLock', 'main');
  const holding = (status?.holders ?? []).map(({ id }) => id);
  const marked = watched
    .list()
    .filter(({ metadata }) => metadata.annotations?.[CORDON_ANNOTATION] !== undefined);
  const names = [...holding, ...marked.map(({ metadata }) => metadata.name), ...(await unfinished())];
  return names.every((name) => stuck.has(name));
}

async function unfinished(): Promise<string[]> {
  const { items } = await client.list<NodeState>(resourcePath('NodeState'));
  return items
    .filter(({ status }) => status?.reboot?.requested === true)
    .map(({ metadata }) => metadata.name);
}

async function objectVersions(): Promise<string[]> {
  const kinds = ['NodeState', 'NodeGroup', 'RebootLock', 'RebootWindow'] as const;
  const lists = await Promise.all(kinds.map((kind) => client.list<KubeObject>(resourcePath(kind))));
  return lists.flatMap(({ items }) =>
    items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`),
  );
}

async function settled(): Promise<void> {
  let before: string[] = [];
  const quiet = async (): Promise<boolean> => {
    const now = await objectVersions();
    const same = JSON.stringify(now) === JSON.stringify(before);
    before = now;
    if (!same) await delay(4000); // what is told of a lock is gathered for a second
    return same;
  };
  await until('nothing changes for a while', quiet, { timeoutMs: 120_000 });
}

function group(reboot: object): Promise<unknown> {
  return apply('NodeGroup', 'main', {
    nodeSelector: { matchLabels: { pool: 'main' } },
    reboot: { maxUnavailable: 2, ...reboot },
  });
}

function apply(kind: Kind, name: string, spec: object): Promise<void> {
  return applyObject(client, kind, name, spec);
}

function get<T>(kind: Kind | 'Node', name: string): Promise<T> {
  return client.get<T>(kind === 'Node' ? `/api/v1/nodes/${name}` : resourcePath(kind, name));
}

async function eventually<T>(
  kind: Kind | 'Node',
  name: string,
  condition: (object: T) => boolean,
): Promise<T> {
  let found: T | undefined;
  await until(`${kind} ${name} is as wanted`, async () => condition((found = await get<T>(kind, name))), {
    ...PATIENT,
    everyMs: 50,
  });
  return found as T;
}

function tomorrow(): string {
  const hour = (new Date().getUTCHours() + 12) % 24;
  return `${String(hour).padStart(2, '0')}:00`;
}
