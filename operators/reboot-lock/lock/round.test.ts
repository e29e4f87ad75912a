import assert from 'node:assert/strict';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { test } from 'node:test';
import type { Cluster } from '../cluster/cluster.ts';
import { View } from '../cluster/view.ts';
import { clusterOf } from '../simulation/cluster-of.ts';
import { failure, type World } from '../simulation/world.ts';
import { Round } from './round.ts';

const unused = () => Promise.reject(new Error('not part of a round'));

/** An operator on a simulated cluster that sees everything at once; `around` may hold its calls or fail them. */
function operator(world: World, around: Partial<Cluster> = {}) {
  let stale: string | undefined;
  const calls: string[] = [];
  const noted = <T>(name: string, answer: () => T): Promise<T> => {
    calls.push(name);
    return Promise.resolve().then(answer);
  };
  const row = (name: string) => ({
    ready: world.isReady(name),
    cordoned: world.nodes.get(name)?.spec?.unschedulable === true,
  });
  const cluster: Cluster = {
    readiness: () => noted('readiness', () => new Map([...world.nodes.keys()].map((n) => [n, row(n)]))),
    locks: () => noted('locks', () => [...world.locks.values()]),
    node: (name) => noted('node', () => world.nodes.get(name)),
    state: (name) => noted('state', () => world.states.get(name)),
    writeLock: (of, status) => noted('writeLock', () => world.writeLock(of, status)),
    pods: unused,
    crew: unused,
    daemonSetExists: unused,
    patchNode: unused,
    applyConditions: unused,
    applyReboot: unused,
    evict: unused,
    remove: unused,
    ...around,
  };
  const view = new View({
    caches: {
      nodes: () => [...world.nodes.values()],
      states: () => [...world.states.values()],
      locks: () => [...world.locks.values()],
      groups: () => world.groups,
      windows: () => world.windows,
      stale: () => stale,
    },
    cluster,
    identity: 'me',
    now: () => world.now,
    monotonicMs: () => (world.monotonic += 1000),
  });
  return { round: new Round(view, cluster), calls, view, age: (why?: string) => (stale = why) };
}

const holders = (world: World) => world.holders('all').map(({ id }) => id);

test('two rounds that read the lock before either wrote it: one place is taken, and the other round takes nothing', async () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  const held = Promise.withResolvers<void>();
  const slow = operator(world, {
    writeLock: async (of, status) => {
      await held.promise;
      return world.writeLock(of, status);
    },
  });
  const late = slow.round.run();
  for (let turn = 0; turn < 10; turn++) await turnOfLoop();
  machines.withdraw('n0');
  machines.request('n1');
  await operator(world).round.run();
  assert.deepEqual(holders(world), ['n1']);
  held.resolve();
  const outcome = await late;
  assert.deepEqual(holders(world), ['n1'], 'what the other one took is not overwritten');
  assert.deepEqual(outcome?.decision.taken, [], 'and nothing is reported as taken');
  assert.equal(outcome?.againMs, 100);
});

test('a lock that was made anew under its name between read and write takes no place of the old one', async () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  const { round } = operator(world, {
    writeLock: async (of, status) => {
      world.editLock('all', (lock) => Object.assign(lock.metadata, { uid: 'another' }));
      return world.writeLock(of, status);
    },
  });
  await round.run();
  assert.deepEqual(holders(world), []);
});

test('a lost reply of the write is no second place: the next round finds the first', async () => {
  const { world, machines } = clusterOf(3);
  for (const name of ['n0', 'n1', 'n2']) machines.request(name);
  const { round } = operator(world, {
    writeLock: async (of, status) => {
      world.writeLock(of, status);
      throw failure('Unreachable', 0);
    },
  });
  await assert.rejects(() => round.run());
  await operator(world).round.run();
  assert.deepEqual(holders(world), ['n0']);
});

test('a view that is too old decides nothing and asks nothing; it goes on when it is young again', async () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  const { round, calls, age } = operator(world);
  age('nodes were not heard of');
  assert.equal(await round.run(), undefined);
  assert.deepEqual(calls, []);
  age();
  await round.run();
  assert.deepEqual(holders(world), ['n0']);
});

test('a node that is down and that the cache lacks stops the round', async () => {
  const { world, machines } = clusterOf(2);
  machines.request('n0');
  const down = new Map([['new', { ready: false, cordoned: false }]]);
  const { round } = operator(world, { readiness: () => Promise.resolve(down) });
  const outcome = await round.run();
  assert.equal(outcome?.againMs, 100);
  assert.deepEqual(holders(world), []);
});

for (const [what, spoil] of [
  ['status', { status: { holders: 'none' } }],
  ['spec', { spec: { maxUnavailable: 'many' } }],
] as const) {
  test(`a lock whose ${what} cannot be read is told so once, and its places stay as they are`, async () => {
    const { world } = clusterOf(2);
    world.editLock('all', (lock) => Object.assign(lock, spoil));
    const { round, calls } = operator(world);
    for (let run = 0; run < 3; run++) {
      await round.run();
      world.now += 5000;
    }
    assert.deepEqual(calls, ['writeLock']);
    const status = world.locks.get('all')?.status;
    assert.equal(status?.conditions?.find(({ type }) => type === 'Stalled')?.reason, 'LockInvalid');
    if (what === 'status') assert.equal(status?.holders, 'none');
  });
}
