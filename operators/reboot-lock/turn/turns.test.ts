import assert from 'node:assert/strict';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { test } from 'node:test';
import { KEEP_CORDONED_ANNOTATION } from '#api/group.ts';
import { addWindow, clusterOf } from '../simulation/cluster-of.ts';
import type { Place } from '../simulation/crew.ts';
import { Replica, type Pending } from '../simulation/replica.ts';
import type { World } from '../simulation/world.ts';

/** A replica of the operator whose calls are let through one by one. */
function operate(world: World, identity = 'me', place?: Place) {
  const pending: Pending[] = [];
  const replica = new Replica(world, pending, identity, place);
  const execute = async (call: Pending): Promise<void> => {
    world.step = 1;
    try {
      call.resolve(call.execute());
    } catch (error) {
      call.reject(error as Error);
    }
    await turnOfLoop();
  };
  const look = (): void => {
    for (const kind of ['nodes', 'states', 'locks'] as const) replica.refresh(kind);
  };
  /** Runs one task to its end. */
  const run = async (key: string): Promise<void> => {
    look();
    replica.start(key);
    while (replica.busy.has(key)) {
      for (const call of pending.splice(0)) await execute(call);
      await turnOfLoop();
    }
    assert.deepEqual(replica.errors, []);
  };
  /** Steps of the node's turn and rounds of the locks, until the cluster changes no more. */
  const turn = async (name: string): Promise<void> => {
    for (let before = ''; before !== printed(world);) {
      before = printed(world);
      await run('locks');
      await run(name);
    }
    await run('locks');
  };
  return { replica, pending, execute, look, run, turn };
}

function printed({ nodes, states, pods }: World): string {
  return JSON.stringify([[...nodes.values()], [...states.values()], [...pods.values()]]);
}

function one(options?: Parameters<typeof clusterOf>[1]) {
  const { world, machines } = clusterOf(2, options);
  machines.request('n0');
  return { world, machines, ...operate(world) };
}

const grantOf = (world: World, name = 'n0') => world.states.get(name)?.spec.reboot?.grant;
const holdOf = (world: World, name = 'n0') => world.states.get(name)?.spec.reboot?.hold;
const pod = (name: string) => ({ metadata: { name, namespace: 'default', uid: name } });

test('a node takes its place, is cordoned, drained and granted; after its reboot it is uncordoned and released', async () => {
  const { world, machines, turn } = one();
  await turn('n0');
  assert.equal(world.marked('n0'), true);
  assert.equal(grantOf(world)?.bootID, 'n0-1');
  for (let step = 0; step < 8; step++) machines.step('n0', false);
  world.monotonic += 1;
  await turn('n0');
  world.monotonic += 20_000;
  await turn('n0');
  assert.equal(machines.phaseOf('n0'), 'Succeeded');
  assert.equal(world.marked('n0'), false);
  assert.equal(world.nodes.get('n0')?.spec?.unschedulable, undefined);
  assert.deepEqual(world.holders('all'), []);
});

test('one node update costs the operator four writes: place, cordon, grant, uncordon; the release goes with the next place', async () => {
  const { world, machines, replica, run } = one();
  machines.request('n1');
  const versions = () =>
    [...world.nodes.values(), ...world.states.values(), ...world.locks.values()].map((o) =>
      Number(o.metadata.resourceVersion),
    );
  const start = Math.max(...versions());
  for (let step = 0; step < 5; step++) {
    await run('locks');
    await run('n0');
  }
  assert.equal(Math.max(...versions()) - start, 3);
  assert.deepEqual(replica.errors, []);
  for (let step = 0; step < 8; step++) machines.step('n0', false);
  await run('n0');
  world.monotonic += 20_000;
  const back = Math.max(...versions());
  await run('n0');
  await run('locks');
  assert.deepEqual(
    world.holders('all').map(({ id }) => id),
    ['n1'],
  );
  assert.equal(Math.max(...versions()) - back, 2);
});

test('a drain that outlives the window ends in uncordon and release, not in a reboot', async () => {
  const { world, turn } = one();
  addWindow(world, 'w', { allow: [{ start: '10:00', duration: '10m', timeZone: 'UTC' }] });
  world.pods.set('n0', [pod('naked')]);
  await turn('n0');
  assert.equal(world.marked('n0'), true);
  world.now += 10 * 60_000;
  world.pods.set('n0', []);
  await turn('n0');
  assert.equal(grantOf(world), undefined);
  assert.equal(world.marked('n0'), false);
  assert.deepEqual(world.holders('all'), []);
  assert.equal(holdOf(world)?.reason, 'WindowClosed');
});

test('a grant ends with its window, and is taken back when it closes before the agent accepted', async () => {
  const { world, turn } = one();
  addWindow(world, 'w', { allow: [{ start: '10:00', duration: '2m', timeZone: 'UTC' }] });
  await turn('n0');
  assert.equal(grantOf(world)?.notAfter, '2026-11-21T10:02:00.000Z');
  world.now = Date.parse('2026-11-21T10:02:00Z');
  await turn('n0');
  assert.equal(grantOf(world), undefined);
  assert.deepEqual(world.holders('all'), []);
});

test('a grant that an agent never accepts is taken back, and the node waits for another turn', async () => {
  const { world, turn } = one();
  await turn('n0');
  world.now += 6 * 60_000;
  await turn('n0');
  assert.equal(grantOf(world), undefined);
  assert.equal(world.marked('n0'), false);
  assert(Date.parse(world.states.get('n0')?.spec.reboot?.notBefore ?? '') > world.now);
});

test('another node going down between place and grant holds the grant, and after a minute frees the place', async () => {
  const { world, turn, run } = one();
  await run('locks');
  world.ready('n1', false);
  await turn('n0');
  assert.equal(grantOf(world), undefined);
  assert.deepEqual(
    world.holders('all').map(({ id }) => id),
    ['n0'],
  );
  world.now += 61_000;
  await turn('n0');
  await turn('n0');
  assert.deepEqual(world.holders('all'), []);
  assert.equal(holdOf(world)?.reason, 'LockFull');
});

test('somebody lifts our cordon before the grant is accepted: it is taken back, set again and drained again', async () => {
  const { world, run, turn } = one();
  await turn('n0');
  world.editNode('n0', (node) => (node.spec = {}));
  world.pods.set('n0', [pod('new')]);
  await run('n0');
  assert.equal(grantOf(world), undefined);
  await run('n0');
  assert.equal(world.nodes.get('n0')?.spec?.unschedulable, true);
  await run('n0');
  assert.equal(grantOf(world), undefined, 'the new pod is still there');
});

test('a person who wants the node to stay cordoned keeps the cordon; only our mark goes', async () => {
  const { world, machines, turn } = one();
  await turn('n0');
  world.editNode('n0', (node) => {
    node.metadata.annotations = { ...node.metadata.annotations, [KEEP_CORDONED_ANNOTATION]: '' };
  });
  machines.withdraw('n0');
  await turn('n0');
  assert.equal(world.marked('n0'), false);
  assert.equal(world.nodes.get('n0')?.spec?.unschedulable, true);
});

test('a cordon whose mark was removed is somebody else’s from then on', async () => {
  const { world, turn } = one();
  await turn('n0');
  world.editNode('n0', (node) => (node.metadata.annotations = {}));
  await turn('n0');
  assert.equal(world.nodes.get('n0')?.spec?.unschedulable, true);
  assert.equal(grantOf(world), undefined);
  assert.deepEqual(world.holders('all'), []);
});

for (const [onTimeout, after] of [
  ['Hold', 'held'],
  ['Skip', 'skipped'],
  ['Force', 'granted'],
] as const) {
  test(`a drain over its time with onTimeout ${onTimeout} is ${after}`, async () => {
    const { world, turn } = one({ reboot: { drain: { timeout: '1m', onTimeout } } });
    world.pods.set('n0', [pod('naked')]);
    await turn('n0');
    world.now += 61_000;
    await turn('n0');
    assert.equal(grantOf(world) !== undefined, onTimeout === 'Force');
    assert.equal(world.marked('n0'), onTimeout !== 'Skip');
    assert.equal(world.holders('all').length, onTimeout === 'Skip' ? 0 : 1);
    if (onTimeout === 'Skip') assert.equal(holdOf(world)?.reason, 'Skipped');
  });
}

test('a grant that an old leader still has under way fails once the node was called off', async () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  addWindow(world, 'w', { allow: [{ start: '10:00', duration: '10m', timeZone: 'UTC' }] });
  const old = operate(world, 'old');
  await old.run('locks');
  await old.run('n0');
  // The old leader reads everything and is stopped right before its grant reaches the server.
  old.look();
  old.replica.start('n0');
  await turnOfLoop();
  while (old.pending[0]?.name !== 'applyReboot') {
    for (const call of old.pending.splice(0)) await old.execute(call);
  }
  const [late] = old.pending.splice(0);
  assert(late);
  world.now += 10 * 60_000;
  await operate(world, 'new').turn('n0');
  assert.deepEqual(world.holders('all'), []);
  await old.execute(late);
  assert.equal(grantOf(world), undefined);
});

/** The only operator there is runs on n0 and is about to write its grant, having taken the cordon off. */
async function aloneBeforeItsGrant() {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  const self = { namespace: 'careen-system', pod: 'lock' };
  const labels = { 'app.kubernetes.io/part-of': 'careen', 'app.kubernetes.io/name': 'careen-reboot-lock' };
  const ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true },
  ];
  const own = {
    metadata: { name: self.pod, namespace: self.namespace, uid: 'lock', labels, ownerReferences },
  };
  world.pods.set('n0', [own]);
  const alone = operate(world, 'alone', { self, ownNode: 'n0' });
  await alone.run('locks');
  await alone.run('n0');
  alone.look();
  alone.replica.start('n0');
  for (let turn = 0; alone.pending[0]?.name !== 'applyReboot' && turn < 100; turn++) {
    for (const call of alone.pending.splice(0)) await alone.execute(call);
    await turnOfLoop();
  }
  const [grant] = alone.pending.splice(0);
  assert(grant);
  return { world, alone, grant };
}

test('an operator that goes down with its node takes the cordon off before it lets the node go', async () => {
  const { world, alone, grant } = await aloneBeforeItsGrant();
  assert.equal(world.nodes.get('n0')?.spec?.unschedulable, undefined);
  assert.equal(world.marked('n0'), true);
  await alone.execute(grant);
  assert.equal(grantOf(world)?.bootID, 'n0-1');
  await operate(world, 'its successor').run('n0');
  assert.equal(grantOf(world)?.bootID, 'n0-1', 'whoever leads next lets it stand');
});

test('an operator that was killed between the two leaves a node that the next one drains again', async () => {
  const { world, alone, grant } = await aloneBeforeItsGrant();
  const next = operate(world, 'its successor');
  await next.run('n0');
  assert.equal(world.nodes.get('n0')?.spec?.unschedulable, true);
  await alone.execute(grant);
  assert.equal(grantOf(world), undefined, 'a grant on the drain before comes too late');
  await next.turn('n0');
  assert.equal(grantOf(world)?.bootID, 'n0-1');
});
