import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CORDON_ANNOTATION, KEEP_CORDONED_ANNOTATION } from '#api/group.ts';
import { healthGate } from '#api/health.ts';
import type { Phase } from '#api/node-state.ts';
import { decide } from '../lock/decide.ts';
import { subjectOf } from '../lock/snapshot.ts';
import { clusterOf, snapshotOf } from '../simulation/cluster-of.ts';
import type { World } from '../simulation/world.ts';
import { grantFor } from './grant.ts';
import { nextStep, type Progress } from './step.ts';

const MINUTE = 60_000;
const DRAINED: Progress = { drain: { done: true, remaining: 0 } };

/** Node n0 has its place and our cordon. */
function cordoned(options?: Parameters<typeof clusterOf>[1]) {
  const { world, machines } = clusterOf(3, options);
  machines.request('n0');
  for (const { name, holders } of decide(snapshotOf(world)).locks) {
    world.editLock(name, (lock) => (lock.status = { observedGeneration: 1, holders: [...holders] }));
  }
  world.editNode('n0', (node) => {
    node.spec = { unschedulable: true };
    node.metadata.annotations = { [CORDON_ANNOTATION]: `me@${world.iso()}` };
  });
  return { world, machines };
}

function grant(world: World, notAfter = world.now + 5 * MINUTE): void {
  const node = snapshotOf(world).nodes.find(({ name }) => name === 'n0');
  assert(node);
  world.editState('n0', (state) => {
    state.spec = { ...state.spec, reboot: { grant: grantFor(node, notAfter) } };
  });
}

function phase(world: World, name: Phase, requested = true, bootID = 'n0-1'): void {
  world.editState('n0', (state) => {
    const before = state.status?.reboot?.since ?? world.iso();
    const update = { phase: name, version: '2.0.0', attempt: 1, since: world.iso() };
    state.status = { bootID, update, reboot: { requested, reasons: [], since: before } };
  });
}

function boot(world: World, bootID: string): void {
  world.editNode('n0', (node) => (node.status = { ...node.status, nodeInfo: { bootID } }));
}

function step(world: World, progress: Progress = DRAINED) {
  const snapshot = snapshotOf(world);
  const node = snapshot.nodes.find(({ name }) => name === 'n0');
  assert(node);
  return nextStep(subjectOf(node, snapshot), snapshot, progress);
}

function told(world: World): string | undefined {
  const next = step(world);
  return 'verdict' in next ? `${next.do} ${next.verdict.reason}` : next.do;
}

test('a node whose lock vanished in the middle of its turn is granted nothing', () => {
  const { world } = cordoned();
  assert.equal(told(world), 'Grant');
  const lock = world.locks.get('all');
  world.locks.delete('all');
  assert.equal(told(world), 'Wait NoLock');
  grant(world);
  assert.equal(told(world), 'Revoke NoLock');
  assert(lock);
  world.locks.set('all', lock);
});

/** The agent of n0 asks for a drain, and says what it makes of its grant. */
function drains(world: World, config: 'Waiting' | 'Applying' | 'Confirming' | 'Applied', requested = true) {
  const accepted = config === 'Waiting' ? {} : { accepted: world.states.get('n0')?.spec.reboot?.grant?.id };
  world.editState('n0', (state) => {
    const { since = world.iso() } = state.status?.reboot ?? {};
    state.status = {
      ...state.status,
      update: { phase: 'Idle', since },
      reboot: { requested, kind: 'Drain', reasons: [], since, ...accepted },
      config: { phase: config, since },
    };
  });
}

test('who asks for a drain is granted one, in which nothing is taken back once it is accepted', () => {
  const { world } = cordoned();
  drains(world, 'Waiting');
  assert.equal(told(world), 'Grant');
  grant(world);
  assert.equal(world.states.get('n0')?.spec.reboot?.grant?.mode, 'drain');
  assert.equal(told(world), 'Wait Granted');
  drains(world, 'Applying');
  world.now += 6 * MINUTE;
  assert.equal(told(world), 'Wait Applying');
  world.ready('n0', false);
  assert.equal(told(world), 'Wait Applying');
  world.now += 20 * MINUTE;
  assert.equal(told(world), 'Wait NotBack');
});

test('a drained node serves again when its agent says so and it is Ready long enough, in the boot that it had', () => {
  const { world } = cordoned();
  drains(world, 'Waiting');
  grant(world);
  drains(world, 'Applied', false);
  world.ready('n0', false);
  assert.equal(told(world), 'Wait Applying');
  world.ready('n0', true);
  assert.equal(told(world), 'CallOff Uncordoning');
  drains(world, 'Confirming', false);
  assert.equal(told(world), 'Wait Applying');
});

test('a node that rebooted for its configuration keeps its cordon until that is confirmed', () => {
  const { world } = cordoned();
  grant(world);
  boot(world, 'n0-2');
  phase(world, 'Idle', false, 'n0-2');
  assert.equal(told(world), 'Uncordon');
  world.editState('n0', ({ status }) => {
    if (status !== undefined) status.config = { phase: 'Confirming', since: world.iso() };
  });
  assert.equal(told(world), 'Wait Applying');
});

test('a node that lost its NodeState in the middle of its turn keeps its place and cordon until its agent reports', () => {
  const { world } = cordoned();
  phase(world, 'Rebooting');
  const state = world.states.get('n0');
  assert(state);
  for (const lost of [undefined, { ...state, status: {} }]) {
    if (lost === undefined) world.states.delete('n0');
    else world.states.set('n0', lost);
    assert.equal(told(world), 'Wait NodeUnavailable');
    assert.equal(decide(snapshotOf(world)).changed.size, 0, 'the place is kept');
  }
  world.states.set('n0', state);
  assert.equal(told(world), 'Wait Rebooting');
});

test('a node that went down and never came back is named NotBack, counted from its grant and not from its place', () => {
  const { world } = cordoned();
  world.now += 60 * MINUTE;
  grant(world);
  phase(world, 'Rebooting');
  assert.equal(told(world), 'Wait Rebooting');
  world.now += 21 * MINUTE;
  assert.equal(told(world), 'Wait NotBack');
  assert.equal(decide(snapshotOf(world)).changed.size, 0);
});

for (const [what, arrange] of [
  ['is up and not Ready', (world: World) => world.ready('n0', false)],
  ['is Ready without its agent', () => undefined],
  ['still runs its gate', (world: World) => phase(world, 'Verifying', false, 'n0-2')],
] as const) {
  test(`a node that ${what} long after its grant is named NotBack`, () => {
    const { world } = cordoned();
    grant(world);
    phase(world, 'Rebooting');
    boot(world, 'n0-2');
    arrange(world);
    assert.notEqual(told(world), 'Wait NotBack');
    world.now += 21 * MINUTE;
    assert.equal(told(world), 'Wait NotBack');
  });
}

test('a node whose health gate may take an hour is not named NotBack while it runs', () => {
  const { world } = cordoned();
  world.editState('n0', (state) => {
    const health = healthGate.parse({ deadline: '1h' });
    state.spec = { ...state.spec, update: { version: '2.0.0', attempt: 1, health } };
  });
  grant(world);
  phase(world, 'Rebooting');
  boot(world, 'n0-2');
  phase(world, 'Verifying', false, 'n0-2');
  for (const ready of [true, false]) {
    world.ready('n0', ready);
    world.now += 32 * MINUTE;
    assert.notEqual(told(world), 'Wait NotBack');
  }
  world.now += 10 * MINUTE;
  assert.equal(told(world), 'Wait NotBack');
});

test('an agent that asks anew after its reboot failed is given another grant in place of the spent one', () => {
  const { world } = cordoned();
  grant(world);
  assert.equal(told(world), 'Wait Granted');
  phase(world, 'Rebooting');
  world.now += 5 * MINUTE;
  world.editState('n0', (state) => {
    const update = { phase: 'Staged' as const, version: '2.0.0', attempt: 1, since: world.iso() };
    state.status = { bootID: 'n0-1', update, reboot: { requested: true, reasons: [], since: world.iso() } };
  });
  assert.equal(told(world), 'Grant');
  assert.equal(step(world, {}).do, 'Drain', 'drained again first');
  grant(world);
  assert.equal(told(world), 'Wait Granted');
});

test('a node that is back but whose failure is not judged yet says so', () => {
  const { world } = cordoned();
  boot(world, 'n0-2');
  phase(world, 'RolledBack', false, 'n0-2');
  assert.equal(told(world), 'Uncordon');
  world.editNode('n0', (node) => {
    node.spec = {};
    node.metadata.annotations = {};
  });
  const next = step(world);
  assert.match(next.do === 'Wait' ? next.verdict.message : '', /operators\/update has not taken note yet/);
});

test('a cordon mark that cannot be read does not make a drain late', () => {
  const { world } = cordoned({ reboot: { drain: { timeout: '1m', onTimeout: 'Force' } } });
  world.editNode('n0', (node) => (node.metadata.annotations = { [CORDON_ANNOTATION]: 'someone' }));
  assert.deepEqual(step(world, {}), { do: 'Drain', force: false });
  world.now += 2 * MINUTE;
  assert.deepEqual(step(world, {}), { do: 'Drain', force: true });
});

test('a pause that a wrong clock set far ahead is not waited for', () => {
  const { world } = cordoned();
  world.editState('n0', (state) => {
    const notBefore = new Date(world.now + 24 * 60 * MINUTE).toISOString();
    state.spec = { ...state.spec, reboot: { notBefore } };
  });
  assert.equal(told(world), 'Grant');
});

/** Our cordon is off, for a grant. */
function lift(world: World): void {
  world.editNode('n0', (node) => {
    node.spec = {};
    node.metadata.annotations = { [CORDON_ANNOTATION]: `me (lifted)@${world.iso()}` };
  });
}

const ALONE: Progress = { drain: { done: true, remaining: 0, lift: true } };

test('a node whose operator stays on it loses its cordon, not its mark, for its grant', () => {
  const { world } = cordoned();
  const first = step(world, ALONE);
  assert.equal(first.do === 'Grant' && first.lift, true);
  lift(world);
  grant(world);
  assert.equal(told(world), 'Wait Granted', 'whoever leads now sees that it was meant');
  phase(world, 'Rebooting');
  assert.equal(told(world), 'Wait Rebooting');
});

test('a node whose cordon was lifted for a grant that never came is cordoned and drained again', () => {
  const { world } = cordoned();
  lift(world);
  assert.equal(step(world, ALONE).do, 'Cordon');
});

test('a node that a person wants cordoned keeps its cordon whoever stays on it', () => {
  const { world } = cordoned();
  world.editNode('n0', (node) => {
    node.metadata.annotations = { ...node.metadata.annotations, [KEEP_CORDONED_ANNOTATION]: '' };
  });
  const next = step(world, ALONE);
  assert.equal(next.do === 'Grant' && next.lift, undefined);
});
