import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Kind, resourcePath } from '#api/group.ts';
import type { NodeGroup, NodeState, UpdateChannel } from '#api/kinds.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { createLogger } from '#runtime/log/log.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { auditEvents } from '#test/observer/audit.ts';
import { ScriptedAgents } from './testing/scripted-agents.ts';
import { QUICK_LEASE, Replicas, startOperator } from '#operators/testing/replicas.ts';
import { applyObject, startServing } from '#operators/testing/serving.ts';

/** Two replicas of the real operator on a real API server; the agents of twenty nodes are scripted. */

const KEY = `RW${'A'.repeat(54)}`;
const NODES = Array.from({ length: 20 }, (_, index) => `n${String(index).padStart(2, '0')}`);

let cluster: Cluster;
let client: KubeClient;
let agents: ScriptedAgents;
const replicas = new Replicas();

before(async () => {
  ({ cluster, client } = await startServing('update-test'));
  agents = new ScriptedAgents(client, createLogger({ name: 'agents', level: 'error' }));
  agents.start();
  await Promise.all([startReplica('a'), startReplica('b')]);
});

after(async () => {
  await replicas.stop();
  await agents?.stop();
  await client?.close();
  await cluster?.stop();
});

test('every node gets a NodeState that it owns, in one write, and says NoGroup while no group selects it', async () => {
  await Promise.all(NODES.map((name, index) => agents.join(name, { pool: 'main', half: String(index % 2) })));
  await everyState('held for NoGroup', ({ spec }) => spec?.update?.hold?.reason === 'NoGroup');
  await Promise.all(NODES.map((name) => agents.report(name, '1.0.0')));
  for (const state of await states()) {
    assert.equal(state.metadata.generation, 1);
    assert.equal(state.metadata.ownerReferences?.[0]?.kind, 'Node');
  }
});

test('a channel says what it has, newest first', async () => {
  await apply('UpdateChannel', 'stable', { keys: [KEY], source: { releases: releases('1.0.0') } });
  await publish('1.0.0', '2.0.0', '1.5.0');
  const { status } = await eventually<UpdateChannel>(
    'UpdateChannel',
    'stable',
    (one) => one.status?.current === '2.0.0',
  );
  assert.deepEqual(
    status?.releases?.map(({ version }) => version),
    ['2.0.0', '1.5.0', '1.0.0'],
  );
  assert.equal(status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  await publish('1.0.0');
});

test('a rollout over twenty nodes costs each node one write of its spec', async () => {
  await group('main', { channel: 'stable' });
  await everyState('in the group', ({ spec }) => spec?.update?.group === 'main');
  const generations = await generationsOf();
  await publish('1.0.0', '2.0.0');
  const { status } = await complete('main', '2.0.0');
  assert.equal(status?.upToDate, 20);
  assert.deepEqual(status?.versions, [{ version: '2.0.0', nodes: 20 }]);
  assert.equal(status?.history?.[0]?.version, '2.0.0');
  assert.equal(status?.history?.[0]?.result, 'Complete');
  for (const [name, generation] of await generationsOf()) {
    assert.equal(generation - (generations.get(name) ?? 0), 1, `${name} was written more than once`);
  }
});

test('nothing is written while nothing changes', async () => {
  // What was gathered during the rollout is told within the status's pace; from then on there is silence.
  await settled();
  const before = await versionsOfAll();
  await delay(4000); // The span that is observed, not a wait for something.
  assert.deepEqual(await versionsOfAll(), before);
});

test('a version that fails on the first wave halts, and is taken from the failed node last', async () => {
  const waves = [{ name: 'first', size: 2 }];
  await group('main', { channel: 'stable', rollout: { waves } });
  agents.bad.set('*', '3.0.0');
  agents.mayReboot = theFirst(1);
  await complete('main', '2.0.0');
  const from = (await specWrites()).length;
  await publish('1.0.0', '2.0.0', '3.0.0');
  const halted = await eventually<NodeGroup>(
    'NodeGroup',
    'main',
    (one) => one.status?.rollout?.halted !== undefined,
  );
  const [failed, ...others] = halted.status?.rollout?.halted?.nodes ?? [];
  assert.ok(failed !== undefined && others.length === 0);
  // A node may have been held for its wave before: it is the halt that is waited for.
  await everyState('held for the halt', ({ spec: { update } }) => {
    const isHalt = update?.hold?.reason === 'Halted' || update?.hold?.reason === 'Quarantined';
    return isHalt && update?.version === undefined;
  });
  agents.mayReboot = () => true;
  const all = await states();
  const reasons = all.map(({ metadata, spec }) => [metadata.name, spec?.update?.hold?.reason]);
  assert.deepEqual(
    reasons.filter(([, reason]) => reason === 'Quarantined'),
    [[failed, 'Quarantined']],
  );
  assert.equal(reasons.filter(([, reason]) => reason === 'Halted').length, 19);
  assert.deepEqual(agents.reboots.filter(({ version }) => version === '3.0.0').length, 1);
  let written: string[] = [];
  await until('the audit log has the write of each, and both of the failed node', async () => {
    written = await specWrites(from);
    return new Set(written).size === NODES.length && written.indexOf(failed) < written.lastIndexOf(failed);
  });
  assert.ok(written.length > 20, 'twenty withdrawals or holds, and two offers before them');
  const offered = written.slice(0, 2);
  const other = offered.find((name) => name !== failed) ?? '';
  assert.ok(
    written.lastIndexOf(other) < written.lastIndexOf(failed),
    'the failed node was written before the other',
  );
});

test('a fixed version goes on where the broken one stopped, wave after wave', async () => {
  agents.reboots.length = 0;
  await publish('1.0.0', '2.0.0', '3.0.0', '3.0.1');
  const { status } = await complete('main', '3.0.1');
  assert.equal(status?.history?.[0]?.result, 'Complete');
  assert.deepEqual(status?.history?.[1]?.result, 'Halted');
  assert.deepEqual(
    status?.rollout?.waves?.map(({ name, nodes, done }) => [name, nodes, done]),
    [
      ['first', 2, 2],
      ['rest', 18, 18],
    ],
  );
});

test('a pin to an older release moves nobody unless downgrades are allowed', async () => {
  await group('main', { channel: 'stable', version: '2.0.0' });
  await everyState('held', ({ spec }) => spec?.update?.hold?.reason === 'DowngradeNotAllowed');
  await group('main', { channel: 'stable', version: '2.0.0', allowDowngrade: true });
  await complete('main', '2.0.0');
  await group('main', { channel: 'stable', version: '7.0.0' });
  const { status } = await eventually<NodeGroup>(
    'NodeGroup',
    'main',
    (one) => reasonOf(one, 'Stalled') === 'PinNotFound',
  );
  assert.equal(status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'False');
});

test('a paused group gives no new version, and nodes on their way finish', async () => {
  await group('main', { channel: 'stable', version: '2.0.0' });
  await complete('main', '2.0.0');
  agents.mayReboot = () => false;
  await group('main', { channel: 'stable', rollout: { maxStaging: 3 } });
  await until('three nodes are staged', async () => (await states()).filter(isOffered).length >= 3);
  await group('main', { channel: 'stable', paused: true, rollout: { maxStaging: 3 } });
  const paused = await eventually<NodeGroup>(
    'NodeGroup',
    'main',
    (one) => reasonOf(one, 'Progressing') === 'Paused',
  );
  const offered = (await states()).filter(isOffered).map(({ metadata }) => metadata.name);
  agents.mayReboot = () => true;
  await until('those on their way arrive', async () => {
    const arrived = (await states()).filter(({ status }) => status?.os?.version === '3.0.1');
    return arrived.length === offered.length;
  });
  assert.ok(paused.status !== undefined);
  assert.equal((await states()).filter(isOffered).length, 0);
  await group('main', { channel: 'stable' });
  await complete('main', '3.0.1');
});

test('a channel or a group that is deleted in mid-rollout takes what is staged back, and nobody reboots', async () => {
  agents.mayReboot = () => false;
  agents.reboots.length = 0;
  const allStaged = () =>
    everyState('staged', ({ status }) => {
      return status?.update?.phase === 'Staged' && status.update.version === '3.0.2';
    });
  const allDropped = (reason: string) =>
    everyState(`held for ${reason}`, ({ spec, status }) => {
      const { hold, version } = spec.update ?? {};
      return hold?.reason === reason && version === undefined && status?.update?.phase === 'Idle';
    });
  await publish('3.0.1', '3.0.2');
  await allStaged();
  await client.delete(resourcePath('UpdateChannel', 'stable'));
  await allDropped('NoChannel');
  await publish('3.0.1', '3.0.2');
  await allStaged();
  await client.delete(resourcePath('NodeGroup', 'main'));
  await allDropped('NoGroup');
  await group('main', { channel: 'stable' });
  await allStaged();
  await publish('3.0.1');
  await complete('main', '3.0.1');
  await everyState('idle again', ({ spec, status }) => {
    return status?.update?.phase === 'Idle' && spec.update?.version === '3.0.1';
  });
  assert.deepEqual(agents.reboots, []);
  agents.mayReboot = () => true;
});

test('two groups of equal priority get neither of the nodes they share, and all three say so', async () => {
  await group('other', { channel: 'stable' }, { matchLabels: { half: '0' } });
  const other = await eventually<NodeGroup>(
    'NodeGroup',
    'other',
    (one) => reasonOf(one, 'Conflict') !== undefined,
  );
  await eventually<NodeGroup>(
    'NodeGroup',
    'main',
    (one) => reasonOf(one, 'Conflict') !== undefined && one.status?.total === 10,
  );
  assert.match(conditionOf(other, 'Conflict')?.message ?? '', /main .*n00/);
  await until('the nodes say so', async () => {
    const held = (await states()).filter(({ spec }) => spec?.update?.hold?.reason === 'GroupConflict');
    return (
      held.length === 10 && held.every(({ spec }) => /main and other/.test(spec?.update?.hold?.message ?? ''))
    );
  });
  await client.delete(resourcePath('NodeGroup', 'other'));
  await everyState('in the group again', isSettled('3.0.1'));
});

test('a node that is replaced by another of its name gets a NodeState of its own', async () => {
  const before = await client.get<NodeState>(resourcePath('NodeState', 'n07'));
  await client.delete('/api/v1/nodes/n07');
  await agents.join('n07', { pool: 'main', half: '1' });
  const node = await client.get<{ metadata: { uid: string } }>('/api/v1/nodes/n07');
  const state = await eventually<NodeState>(
    'NodeState',
    'n07',
    (one) => one.metadata.ownerReferences?.[0]?.uid === node.metadata.uid,
  );
  assert.notEqual(state.metadata.uid, before.metadata.uid);
  assert.equal(state.status?.os, undefined);
  await agents.report('n07', '1.0.0');
  await until('it catches up', async () => {
    const { status } = await client.get<NodeState>(resourcePath('NodeState', 'n07'));
    return status?.os?.version === '3.0.1';
  });
});

test('when the leader is killed in the middle, the other replica finishes without asking anything twice', async () => {
  await everyState('at rest', isSettled('3.0.1'));
  await complete('main', '3.0.1');
  const generations = await generationsOf();
  agents.mayReboot = theFirst(5);
  await publish('3.0.1', '4.0.0');
  await until('some nodes have arrived', async () => {
    return (await states()).filter(({ status }) => status?.os?.version === '4.0.0').length === 5;
  });
  const lease = await client.get<{ spec: { holderIdentity: string } }>(
    '/apis/coordination.k8s.io/v1/namespaces/default/leases/careen-update',
  );
  await replicas.kill(replicas.holding(lease.spec.holderIdentity) ?? '');
  agents.mayReboot = () => true;
  await complete('main', '4.0.0');
  for (const [name, generation] of await generationsOf()) {
    assert.equal(generation - (generations.get(name) ?? 0), 1, `${name} was written more than once`);
  }
});

/** Lets so many nodes reboot; one whose word met another write says it again. */
function theFirst(count: number): (node: string) => boolean {
  const chosen = new Set<string>();
  return (node) => {
    if (chosen.size < count) chosen.add(node);
    return chosen.has(node);
  };
}

function startReplica(name: string): Promise<void> {
  return replicas.start(name, () => startOperator(cluster, 'operators/update/main.ts', name, QUICK_LEASE));
}

function releases(...versions: string[]) {
  return versions.map((version) => ({
    version,
    payload: { manifest: `http://payloads/${version}/manifest.json` },
  }));
}

/** Waits until the operator has read it: a group that is declared next is seen after its channel, then. */
async function publish(...versions: string[]): Promise<void> {
  await apply('UpdateChannel', 'stable', { keys: [KEY], source: { releases: releases(...versions) } });
  await eventually<UpdateChannel>('UpdateChannel', 'stable', ({ metadata, status }) => {
    return status?.observedGeneration === metadata.generation;
  });
}

function group(
  name: string,
  update: object,
  nodeSelector: object = { matchLabels: { pool: 'main' } },
): Promise<void> {
  return apply('NodeGroup', name, { nodeSelector, update });
}

function apply(kind: Kind, name: string, spec: object): Promise<void> {
  return applyObject(client, kind, name, spec);
}

async function states(): Promise<NodeState[]> {
  return (await client.list<NodeState>(resourcePath('NodeState'))).items;
}

async function generationsOf(): Promise<Map<string, number>> {
  return new Map((await states()).map(({ metadata }) => [metadata.name, metadata.generation ?? 0]));
}

async function versionsOfAll(): Promise<Record<string, string | undefined>> {
  const lists = await Promise.all(
    (['NodeState', 'NodeGroup', 'UpdateChannel'] as const).map((kind) =>
      client.list<NodeState>(resourcePath(kind)),
    ),
  );
  const all = lists.flatMap(({ items }) => items);
  return Object.fromEntries(
    all.map(({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.resourceVersion]),
  );
}

/** Names of the NodeStates whose spec the operator wrote, in order, as the API server's audit log has it. */
async function specWrites(from = 0): Promise<string[]> {
  const written = (await Array.fromAsync(auditEvents(cluster.auditLog)))
    .filter(({ verb, objectRef, userAgent = '', responseStatus }) => {
      const isSpec = objectRef?.resource === 'nodestates' && objectRef.subresource === undefined;
      return (
        isSpec && verb === 'patch' && userAgent.startsWith('careen-update') && responseStatus?.code === 200
      );
    })
    .toSorted((a, b) => (a.stageTimestamp < b.stageTimestamp ? -1 : 1));
  return written.map(({ objectRef }) => objectRef?.name ?? '').slice(from);
}

/** Waits until nothing has been written for longer than the slowest pace, 10 s, and a slow machine's delay. */
async function settled(): Promise<void> {
  let last = '';
  let since = performance.now();
  const quiet = async (): Promise<boolean> => {
    const now = JSON.stringify(await versionsOfAll());
    if (now !== last) since = performance.now();
    last = now;
    return performance.now() - since > 15_000;
  };
  await until('all is quiet', quiet, { timeoutMs: 120_000, everyMs: 100 });
}

function isOffered({ spec, status }: NodeState): boolean {
  return spec?.update?.payload !== undefined && spec.update.version !== status?.os?.version;
}

/** Whether a node was told last that it runs the version, in the group and without a hold. */
function isSettled(version: string): (state: NodeState) => boolean {
  return ({ spec: { update } }) => {
    return update?.group === 'main' && update.version === version && update.hold === undefined;
  };
}

function conditionOf({ status }: NodeGroup, type: string) {
  return status?.conditions?.find((one) => one.type === type);
}

function reasonOf(object: NodeGroup, type: string): string | undefined {
  return conditionOf(object, type)?.reason;
}

function complete(name: string, target: string): Promise<NodeGroup> {
  return eventually<NodeGroup>(
    'NodeGroup',
    name,
    (one) =>
      one.status?.observedGeneration === one.metadata.generation &&
      one.status?.rollout?.target === target &&
      conditionOf(one, 'Complete')?.status === 'True',
  );
}

async function everyState(what: string, holds: (state: NodeState) => boolean): Promise<void> {
  await until(`every node is ${what}`, async () => {
    const all = await states();
    return all.length === NODES.length && all.every(holds);
  });
}

async function eventually<T>(kind: Kind, name: string, holds: (object: T) => boolean): Promise<T> {
  let last: T | undefined;
  await until(`${kind} ${name} is as expected`, async () => {
    last = await client.get<T>(resourcePath(kind, name));
    return holds(last);
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
  });
  return last as T;
}
