import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CORDON_ANNOTATION } from '#api/group.ts';
import type { RebootLock } from '#api/kinds.ts';
import { CONTROL_PLANE_LABEL } from '#api/meta.ts';
import { addWindow, clusterOf, snapshotOf } from '../simulation/cluster-of.ts';
import type { World } from '../simulation/world.ts';
import { decide, type Waiting } from './decide.ts';
import { readLock } from './lock.ts';
import type { Snapshot } from './snapshot.ts';
import { urgency } from './status.ts';

/** Carries a decision out on the locks, as the compare-and-swap would. */
function settle(world: World, options?: Parameters<typeof snapshotOf>[1]) {
  const decision = decide(snapshotOf(world, options));
  for (const { name, holders, status } of decision.locks) {
    world.editLock(name, (lock) => (lock.status = { ...status, holders: [...holders] }));
  }
  return decision;
}

function holders(world: World, lock = 'all'): string[] {
  return world.holders(lock).map(({ id }) => id);
}

function reason(world: World, node: string, options?: Parameters<typeof snapshotOf>[1]): string | undefined {
  return decide(snapshotOf(world, options)).waiting.find((one) => one.node === node)?.verdict.reason;
}

function cordonByUs(world: World, name: string): void {
  world.editNode(name, (node) => {
    node.spec = { unschedulable: true };
    node.metadata.annotations = { [CORDON_ANNOTATION]: `me@${world.iso()}` };
  });
}

function uncordon(world: World, name: string): void {
  world.editNode(name, (node) => {
    node.spec = {};
    node.metadata.annotations = {};
  });
}

/** Down, up with a new boot, judged. */
function reboot(
  world: World,
  machines: ReturnType<typeof clusterOf>['machines'],
  name: string,
  fails = false,
): void {
  world.editState(name, (state) => {
    state.status = {
      ...state.status,
      update: { phase: 'Rebooting', version: '2.0.0', attempt: 1, since: world.iso() },
    };
  });
  for (let step = 0; step < 5; step++) machines.step(name, fails);
}

test('500 nodes ask in the same second and only max take a place', () => {
  const { world, machines } = clusterOf(500, { max: 3 });
  for (const name of world.nodes.keys()) machines.request(name);
  settle(world);
  assert.equal(holders(world).length, 3);
  assert.equal(settle(world).changed.size, 0);
});

test('the longest-waiting node goes first and the operator’s own node last', () => {
  const { world, machines } = clusterOf(3);
  machines.request('n2');
  world.now += 1000;
  machines.request('n1');
  assert.deepEqual(decide(snapshotOf(world)).taken, [{ node: 'n2', lock: 'all' }]);
  assert.deepEqual(decide(snapshotOf(world, { ownNode: 'n2' })).taken, [{ node: 'n1', lock: 'all' }]);
});

test('the operator’s own node goes last also when only its own zone has room', () => {
  const labels = { n0: { zone: 'a' }, n1: { zone: 'a' }, n2: { zone: 'b' } };
  const { world, machines } = clusterOf(3, { max: 2, labels });
  world.addLock('zones', { topologyKey: 'zone', maxUnavailable: 2, maxDomains: 1 });
  machines.request('n0');
  settle(world);
  machines.request('n1');
  machines.request('n2');
  const own = { ownNode: 'n1' };
  assert.equal(reason(world, 'n2', own), 'DomainsFull');
  assert.equal(reason(world, 'n1', own), 'LockFull');
  assert.match(
    decide(snapshotOf(world, own)).waiting.find(({ node }) => node === 'n1')?.verdict.message ?? '',
    /n2 goes first; this node runs the operator and goes last/,
  );
  assert.deepEqual(
    new Set(decide(snapshotOf(world)).taken.map(({ node }) => node)),
    new Set(['n1']),
    'another node of the zone would go',
  );
  machines.withdraw('n2');
  assert.deepEqual(new Set(decide(snapshotOf(world, own)).taken.map(({ node }) => node)), new Set(['n1']));
});

test('the last node that the operator could be scheduled on waits while others wait for its operator', () => {
  const { world, machines } = clusterOf(3, { max: 3 });
  machines.request('n0');
  settle(world);
  machines.request('n1');
  const takes = (ownNode?: string) =>
    decide(snapshotOf(world, ownNode === undefined ? {} : { ownNode })).taken.map(({ node }) => node);
  assert.deepEqual(takes('n1'), ['n1'], 'n2 is there for the operator');
  world.ready('n2', false);
  for (const ownNode of ['n0', 'n1']) {
    assert.deepEqual(takes(ownNode), []);
    const [{ verdict }] = decide(snapshotOf(world, { ownNode })).waiting as [Waiting];
    assert.equal(verdict.reason, 'LockFull');
    assert.match(
      verdict.message,
      /^n0 goes first; this is the last node that careen itself can be scheduled on$/,
    );
  }
  assert.deepEqual(takes(), ['n1'], 'it runs outside the cluster');
});

test('a node goes although the operator could be scheduled nowhere else, when none is in its hands', () => {
  const { world, machines } = clusterOf(2, { max: 2 });
  world.ready('n0', false);
  machines.request('n1');
  assert.deepEqual(
    decide(snapshotOf(world, { ownNode: 'n1' })).taken.map(({ node }) => node),
    ['n1'],
  );
});

test('the operator’s own node waits for nobody who shares no lock with it, or whom nothing moves', () => {
  const labels = { n0: { pool: 'a' }, n1: { pool: 'b' }, n2: { pool: 'b' } };
  const { world, machines } = clusterOf(3, { max: 3, labels });
  world.addLock('b', { nodeSelector: { matchLabels: { pool: 'b' } }, maxUnavailable: 1 });
  world.ready('n2', false);
  machines.request('n1');
  machines.request('n0');
  const { taken, waiting } = decide(snapshotOf(world, { ownNode: 'n0' }));
  assert.deepEqual(
    waiting.map(({ node, verdict }) => [node, verdict.reason]),
    [['n1', 'LockFull']],
    'an outage of others keeps it, perhaps for weeks',
  );
  assert.deepEqual(taken, [{ node: 'n0', lock: 'all' }]);
});

for (const [max, covered, expected] of [
  ['10%', 20, 2],
  ['10%', 9, 1],
  ['0%', 9, 0],
  [0, 9, 0],
  ['50%', 3, 1],
  ['100%', 3, 3],
] as const) {
  test(`${max} of ${covered} nodes is ${expected}`, () => {
    const { world, machines } = clusterOf(covered, { max });
    for (const name of world.nodes.keys()) machines.request(name);
    settle(world);
    assert.equal(holders(world).length, expected);
  });
}

test('a foreign cordon and a NotReady node use up the budget, and are named', () => {
  const { world, machines } = clusterOf(4, { max: 2 });
  world.editNode('n1', (node) => (node.spec = { unschedulable: true }));
  world.ready('n2', false);
  machines.request('n0');
  const [waiting] = decide(snapshotOf(world)).waiting;
  assert.equal(waiting?.verdict.reason, 'LockFull');
  assert.match(
    waiting?.verdict.message ?? '',
    /2 of 2 unavailable: n1 \(cordoned by others\), n2 \(NotReady\)/,
  );
});

test('with countExternal off, outages of others do not count, but a cordon of ours without a place does', () => {
  const { world, machines } = clusterOf(3);
  world.editLock('all', (lock) => (lock.spec.countExternal = false));
  world.ready('n2', false);
  machines.request('n0');
  assert.deepEqual(decide(snapshotOf(world)).taken, [{ node: 'n0', lock: 'all' }]);
  cordonByUs(world, 'n1');
  assert.equal(reason(world, 'n0'), 'LockFull');
});

test('lowering max takes no place away and gives none until there is room', () => {
  const { world, machines } = clusterOf(6, { max: 5 });
  for (const name of world.nodes.keys()) machines.request(name);
  settle(world);
  world.editLock('all', (lock) => (lock.spec.maxUnavailable = 1));
  settle(world);
  assert.equal(holders(world).length, 5);
  assert.equal(reason(world, 'n5'), 'LockFull');
});

test('an agent that restarts without a reboot keeps its place', () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  settle(world);
  cordonByUs(world, 'n0');
  assert.equal(decide(snapshotOf(world)).changed.size, 0);
});

test('a place is free only after a new boot, Ready for minReadySeconds, reported, and uncordoned', () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  settle(world);
  cordonByUs(world, 'n0');
  reboot(world, machines, 'n0');
  assert.equal(decide(snapshotOf(world)).changed.size, 0, 'still cordoned');
  uncordon(world, 'n0');
  assert.equal(decide(snapshotOf(world, { readyForMs: 9999 })).changed.size, 0, 'not Ready for long enough');
  world.ready('n0', false);
  assert.equal(decide(snapshotOf(world)).changed.size, 0, 'not Ready');
  world.ready('n0', true);
  assert.deepEqual(decide(snapshotOf(world)).released, [{ node: 'n0', lock: 'all', why: 'back' }]);
});

test('release of one node and the place of the next are one change of the lock', () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  settle(world);
  reboot(world, machines, 'n0');
  machines.request('n1');
  const { released, taken, changed } = decide(snapshotOf(world));
  assert.deepEqual([released.length, taken.length, changed.size], [1, 1, 1]);
});

test('a failed version keeps its place until operators/update has taken note', () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  settle(world);
  reboot(world, machines, 'n0', true);
  assert.equal(machines.phaseOf('n0'), 'RolledBack');
  assert.equal(decide(snapshotOf(world)).changed.size, 0);
  world.editState('n0', (state) => (state.spec = { update: { version: '1.9.0', attempt: 1 } }));
  assert.equal(decide(snapshotOf(world)).released.length, 1);
});

test('a node that stays away for hours keeps its place', () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  settle(world);
  cordonByUs(world, 'n0');
  world.ready('n0', false);
  world.now += 6 * 3_600_000;
  machines.request('n1');
  assert.equal(decide(snapshotOf(world)).changed.size, 0);
});

test('the place of a deleted Node is free, and that of a machine recreated under its name as well', () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  settle(world);
  world.editNode('n0', (node) => (node.metadata.uid = 'another'));
  assert.deepEqual(decide(snapshotOf(world)).released, [
    { node: 'n0', lock: 'all', why: 'its Node was replaced' },
  ]);
  world.nodes.delete('n0');
  assert.deepEqual(decide(snapshotOf(world)).released, [
    { node: 'n0', lock: 'all', why: 'its Node is gone' },
  ]);
});

test('a withdrawn request frees the place only when our cordon is lifted', () => {
  const { world, machines } = clusterOf(1);
  machines.request('n0');
  settle(world);
  cordonByUs(world, 'n0');
  machines.withdraw('n0');
  assert.equal(decide(snapshotOf(world)).changed.size, 0);
  uncordon(world, 'n0');
  assert.deepEqual(decide(snapshotOf(world)).released, [{ node: 'n0', lock: 'all', why: 'called off' }]);
});

test('a node needs room in all its locks and keeps none when one is full', () => {
  const { world, machines } = clusterOf(2, { max: 2 });
  world.addLock('b', { maxUnavailable: 1 });
  world.ready('n1', false);
  machines.request('n0');
  assert.equal(reason(world, 'n0'), 'LockFull');
  world.editLock('all', (lock) => {
    const place = { id: 'n0', uid: 'uid-n0', bootID: 'n0-1', since: world.iso(), reason: '', by: 'me' };
    lock.status = { observedGeneration: 1, holders: [place] };
  });
  assert.deepEqual(settle(world).released, [
    { node: 'n0', lock: 'all', why: 'another of its locks is full' },
  ]);
});

test('one zone at a time: a node without the label is a zone of its own, never free', () => {
  const zones = { n0: { zone: 'a' }, n1: { zone: 'a' }, n2: { zone: 'b' } };
  const { world, machines } = clusterOf(4, { max: 4, labels: zones });
  world.addLock('zones', { topologyKey: 'zone', maxUnavailable: 2, maxDomains: 1 });
  for (const name of world.nodes.keys()) machines.request(name);
  settle(world);
  assert.deepEqual(holders(world, 'zones'), ['n0', 'n1']);
  assert.equal(reason(world, 'n2'), 'DomainsFull');
  assert.equal(reason(world, 'n3'), 'DomainsFull');
});

test('a semaphore for every zone: each value of topologyKey has max places', () => {
  const zones = { n0: { zone: 'a' }, n1: { zone: 'a' }, n2: { zone: 'b' } };
  const { world, machines } = clusterOf(4, { max: 4, labels: zones });
  world.addLock('zones', { topologyKey: 'zone', maxUnavailable: 1 });
  for (const name of world.nodes.keys()) machines.request(name);
  settle(world);
  assert.deepEqual(holders(world, 'zones'), ['n0', 'n2', 'n3']);
  assert.equal(reason(world, 'n1'), 'LockFull');
});

test('control-plane nodes never go two at a time, whatever the numbers say; a cordon counts as down', () => {
  const quorum = Object.fromEntries(['n0', 'n1', 'n2'].map((name) => [name, { [CONTROL_PLANE_LABEL]: '' }]));
  for (const strategy of ['lock', 'reboot']) {
    const { world, machines } = clusterOf(3, { max: 3, labels: quorum, reboot: { strategy } });
    machines.request('n0');
    machines.request('n1');
    assert.equal(reason(world, 'n0'), 'NoLock', 'fails closed while its lock is missing');
    world.addLock('control-plane', {
      maxUnavailable: 3,
      countExternal: false,
      nodeSelector: { matchLabels: { no: 'ne' } },
    });
    const { taken } = decide(snapshotOf(world));
    assert.deepEqual(new Set(taken.map(({ node }) => node)), new Set(['n0']));
    world.editNode('n2', (node) => (node.spec = { unschedulable: true }));
    assert.equal(reason(world, 'n0'), 'ControlPlane');
  }
});

test('status that cannot be read is full, never empty', () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  world.editLock('all', (lock) => (lock.status = { maxOwners: 2, locks: [], holders: 'none' } as never));
  assert.equal(reason(world, 'n0'), 'LockInvalid');
  assert.equal(decide(snapshotOf(world)).changed.size, 0);
});

test('a wiped status is rebuilt from cordon marks, open grants and reboots in flight before anything is given', () => {
  const { world, machines } = clusterOf(4, { max: 3 });
  for (const name of ['n0', 'n1', 'n2']) machines.request(name);
  settle(world);
  cordonByUs(world, 'n0');
  world.editState('n1', (state) => {
    const grant = {
      id: 'g',
      nodeUID: 'uid-n1',
      bootID: 'n1-1',
      notAfter: world.iso(),
      mode: 'reboot' as const,
    };
    state.spec = { ...state.spec, reboot: { grant } };
  });
  world.editState('n2', (state) => {
    state.status = { ...state.status, update: { phase: 'Rebooting', since: world.iso() } };
  });
  world.editLock('all', (lock) => (lock.status = { observedGeneration: -1 }));
  machines.request('n3');
  settle(world);
  assert.deepEqual(holders(world).toSorted(), ['n0', 'n1', 'n2']);
  assert.equal(reason(world, 'n3'), 'LockFull');
});

test('windows: closed, invalid and denied hold the node and say until when', () => {
  const { world, machines } = clusterOf(1);
  machines.request('n0');
  addWindow(world, 'night', { allow: [{ start: '22:00', duration: '2h', timeZone: 'UTC' }] });
  const [waiting] = decide(snapshotOf(world)).waiting;
  assert.deepEqual(waiting?.verdict, {
    reason: 'WindowClosed',
    message: 'RebootWindow night is closed until 2026-11-21T22:00:00.000Z',
  });
  world.windows.length = 0;
  addWindow(world, 'typo', { allow: [{ start: '00:00', duration: '24h', timeZone: 'Mars/Base' }] });
  assert.equal(reason(world, 'n0'), 'WindowInvalid');
});

test('two groups of equal priority leave the node alone; so do strategy off and an unknown strategy', () => {
  const { world, machines } = clusterOf(1);
  machines.request('n0');
  const [group] = world.groups;
  assert(group);
  world.groups.push({ ...group, metadata: { name: 'other' } });
  assert.equal(reason(world, 'n0'), 'NoLock');
  for (const strategy of ['off', 'best-effort']) {
    const spec = { ...group.spec, reboot: { ...group.spec.reboot, strategy } } as typeof group.spec;
    world.groups.splice(0, world.groups.length, { ...group, spec });
    assert.equal(reason(world, 'n0'), 'StrategyOff', strategy);
  }
});

test('strategy reboot goes at once, with its turn recorded in the lock of the group', () => {
  const { world, machines } = clusterOf(3, { max: 1, reboot: { strategy: 'reboot' } });
  for (const name of world.nodes.keys()) machines.request(name);
  settle(world);
  assert.equal(holders(world).length, 3);
});

test('minSeparation and delayBetween space the places out', () => {
  for (const [reboot, spec, expected] of [
    [{}, { minSeparation: '5m' }, 'MinSeparation'],
    [{ delayBetween: '5m' }, {}, 'DelayBetween'],
  ] as const) {
    const { world, machines } = clusterOf(2, { max: 2, reboot });
    world.editLock('all', (lock) => Object.assign(lock.spec, spec));
    machines.request('n0');
    machines.request('n1');
    assert.equal(settle(world).taken.length, 1);
    assert.equal(reason(world, 'n1'), expected);
    world.now += 300_000;
    assert.equal(settle(world).taken.length, 1);
  }
});

test('a last grant in the future, of a clock that was wrong, is waited for no longer than minSeparation', () => {
  for (const [reboot, spec] of [
    [{}, { minSeparation: '5m' }],
    [{ delayBetween: '5m' }, {}],
  ] as const) {
    const { world, machines } = clusterOf(2, { max: 2, reboot });
    world.editLock('all', (lock) => Object.assign(lock.spec, spec));
    const lastGrant = new Date(world.now + 86_400_000).toISOString();
    world.editLock('all', (lock) => (lock.status = { observedGeneration: 1, lastGrant }));
    machines.request('n0');
    const before = readLock(world.locks.get('all') as RebootLock);
    const [seen] = settle(world).locks;
    assert.ok(seen);
    assert.equal(urgency(before.status, seen.status), 'now', 'the first sight is written down at once');
    world.now += 299_000;
    assert.equal(settle(world).taken.length, 0);
    world.now += 1000;
    assert.equal(settle(world).taken.length, 1);
  }
});

test('a node that others cordoned, or that is not Ready, takes no place', () => {
  const { world, machines } = clusterOf(1);
  machines.request('n0');
  world.editNode('n0', (node) => (node.spec = { unschedulable: true }));
  assert.equal(reason(world, 'n0'), 'NodeUnavailable');
});

test('a request of an earlier boot is none', () => {
  const { world, machines } = clusterOf(1);
  machines.request('n0');
  world.editNode('n0', (node) => (node.status = { ...node.status, nodeInfo: { bootID: 'n0-2' } }));
  assert.equal(reason(world, 'n0'), 'NotRequested');
});

test('a node that came back and asks again gives its place back and queues anew', () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  settle(world);
  reboot(world, machines, 'n0');
  machines.request('n1');
  world.now += 1000;
  machines.request('n0');
  const { released, taken } = decide(snapshotOf(world));
  assert.deepEqual(
    released.map(({ node }) => node),
    ['n0'],
  );
  assert.equal(taken.length, 1);
});

test('only nodes that were read live change their places', () => {
  const { world, machines } = clusterOf(2, { max: 2 });
  machines.request('n0');
  machines.request('n1');
  const snapshot: Snapshot = { ...snapshotOf(world), live: new Set(['n1']) };
  assert.deepEqual(decide(snapshot).taken, [{ node: 'n1', lock: 'all' }]);
});
