import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CONTROL_PLANE_LABEL } from '#api/meta.ts';
import { until } from '#test/cluster/until.ts';
import { Observer } from '#test/observer/observer.ts';
import { STUBBORN } from '#test/stack/stubborn-workload.ts';
import { Boots } from './boots.fixture.ts';
import { shortenDeadman } from './holds.fixture.ts';
import { freeStubborn, placeStubborn } from './stubborn.fixture.ts';
import { Witness } from './witness.fixture.ts';

/** What stops a rollout. */
let witness: Witness;

const WITHIN_MS = 360_000;

before(async () => {
  witness = await Witness.start({ machines: 3, budget: 2, gate: '30m' });
});
after(() => witness?.stop());

test('a budget that lets no pod go is named within a minute, and its node reboots when it is freed', async (t) => {
  const boots = new Boots(witness.stack.fleet.machines);
  const where = await placeStubborn(witness.stack);
  t.after(() => freeStubborn(witness.stack));
  await witness.stack.publishAndDeclare('2.0.0');
  await witness.when('Draining', where);
  const began = performance.now();
  const { state } = await witness.sights.when('the budget is named', ({ name, state: { spec } }) => {
    return name === where && spec.reboot?.hold?.message.includes(STUBBORN.budget) === true;
  });
  const took = performance.now() - began;
  t.diagnostic(`${Math.round(took / 1000)} s: ${state.spec.reboot?.hold?.message}`);
  assert.ok(took < 60_000);
  assert.equal(state.spec.reboot?.hold?.reason, 'DrainBlocked');
  assert.match(state.spec.reboot.hold.message, /pod default\/stubborn-/);
  const others = () => witness.sights.all.filter(({ name }) => name !== where);
  const through = () => others().every(({ moment }) => moment === 'Succeeded');
  await until('the others are through', through, { timeoutMs: WITHIN_MS });
  assert.equal(boots.since[where], undefined);
  assert.equal(witness.sights.of(where)?.moment, 'Draining');
  await freeStubborn(witness.stack);
  t.diagnostic(await witness.arrive('2.0.0'));
  assert.deepEqual(boots.since, { 'machine-1': 1, 'machine-2': 1, 'machine-3': 1 });
});

test('nodes of the control plane go one at a time, whatever the budget of their group is', async (t) => {
  const boots = new Boots(witness.stack.fleet.machines);
  const members = ['machine-1', 'machine-2'];
  const label = (word: string) => witness.stack.kubectl(['label', 'nodes', ...members, word]);
  await label(`${CONTROL_PLANE_LABEL}=`);
  t.after(() => label(`${CONTROL_PLANE_LABEL}-`));
  await witness.changeGroup(({ spec }) => {
    spec.nodeSelector = {};
  });
  const controlPlane = new Observer(witness.stack.cluster, ({ metadata }) => members.includes(metadata.name));
  controlPlane.start();
  t.after(() => controlPlane.stop());
  await controlPlane.watching();
  await witness.stack.publishAndDeclare('2.1.0');
  t.diagnostic(await witness.arrive('2.1.0'));
  assert.deepEqual(boots.since, { 'machine-1': 1, 'machine-2': 1, 'machine-3': 1 });
  const { outages, worstTaken } = controlPlane.ledger;
  assert.deepEqual([...new Set(outages.map(({ node }) => node))].toSorted(), members);
  assert.equal(worstTaken.count, 1, worstTaken.nodes.join(' and '));
});

test('a version whose kubelet never runs is taken back by the host alone, is told, and halts the rollout', async (t) => {
  const boots = new Boots(witness.stack.fleet.machines);
  await witness.changeGroup(({ spec }) => {
    spec.reboot.maxUnavailable = 1;
  });
  await Promise.all(witness.names.map((name) => shortenDeadman(witness.machine(name))));
  await witness.stack.publishAndDeclare('3.0.0', 'no-kubelet');
  const { name } = await witness.sights.when(
    'one boots it',
    ({ moment, state }) => moment === 'Rebooting' && state.status?.update?.version === '3.0.0',
    WITHIN_MS,
  );
  const back = await witness.sights.when(
    `${name} is back`,
    (sight) => sight.name === name && sight.moment === 'RolledBack',
    WITHIN_MS,
  );
  const { update, os } = back.state.status ?? {};
  t.diagnostic(`${name}: ${update?.error?.message}`);
  assert.equal(os?.version, '2.1.0');
  assert.equal(update?.error?.code, 'BootFailed');
  assert.match(update.error.message, /without its agent/);
  await until('the rollout has halted', async () => (await witness.halted())?.includes('3.0.0') === true, {
    timeoutMs: WITHIN_MS,
  });
  t.diagnostic(await witness.arrive('2.1.0'));
  assert.deepEqual(boots.since, { [name]: 3 }, 'both tries, and back');
});
