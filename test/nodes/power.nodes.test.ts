import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isReady } from '#api/meta.ts';
import { until } from '#test/cluster/until.ts';
import type { SlotState } from '#test/machine/machine.ts';
import type { RealMachine } from '#test/machine/real/real-machine.ts';
import { backTo } from './back-to.fixture.ts';
import { Boots } from './boots.fixture.ts';
import { holdGate, holdReboot, releaseGate } from './holds.fixture.ts';
import type { Sight } from './sights.fixture.ts';
import { Witness } from './witness.fixture.ts';

/** One failure after the other on the same nodes: each test takes both of them to the next version. */
const BOOT_WITHIN_MS = 240_000;
/** Of each answer: a slot takes four minutes, so that the power fails before it is written. */
const SLOWLY = 48 * 1024;

let witness: Witness;

before(async () => {
  witness = await Witness.start({ machines: 2, budget: 1, gate: '30m' });
});

after(() => witness?.stop());

test('a node whose power fails while it stages boots what it ran, and stages again', async (t) => {
  const name = 'machine-1';
  const { payloads } = witness.stack;
  payloads.bytesPerSecond = SLOWLY;
  await witness.publish('2.0.0');
  await witness.whenWritten(name);
  await witness.cutPower(name);
  const choosable = slots(name).filter(({ priority }) => priority > 0);
  assert.equal(choosable.length, 1, 'the slot that is half written can be chosen');
  assert.equal(await switchOn(witness.machine(name)), '1.0.0');
  await backTo(witness, name, 'Staging');
  payloads.bytesPerSecond = undefined;
  t.diagnostic(await witness.arrive('2.0.0'));
});

test('a node whose power fails when it is armed keeps its place and boots the new version', async (t) => {
  const name = 'machine-2';
  const machine = witness.machine(name);
  await holdReboot(machine);
  await witness.publish('2.1.0');
  await witness.when('Rebooting', name);
  await until('its slot is armed', () => isArmed(name));
  await witness.cutPower(name);
  await witness.sights.when(`${name} is missed`, (sight) => sight.name === name && isMissed(sight));
  assert.deepEqual(await witness.holders(), [name]);
  assert.equal(await switchOn(machine), '2.1.0');
  t.diagnostic(await witness.arrive('2.1.0'));
});

test('a node whose power fails on the first boot of a version boots it once more, and keeps it', async (t) => {
  await witness.everywhere(holdGate);
  await witness.publish('2.2.0');
  const { name } = await witness.when('Verifying');
  assert.equal(await nextBootOf(name), '2.2.0');
  await witness.everywhere(releaseGate);
  t.diagnostic(await witness.arrive('2.2.0'));
});

test('a node whose power fails on both boots of a version goes back, says why, and the version stops there', async (t) => {
  await witness.everywhere(holdGate);
  const boots = new Boots(witness.stack.fleet.machines);
  await witness.publish('2.3.0');
  const { name } = await witness.when('Verifying');
  assert.equal(await nextBootOf(name), '2.3.0');
  assert.equal(await nextBootOf(name), '2.2.0', 'both tries are used up');
  const { state } = await witness.sights.when(`${name} says so`, (sight) => {
    return sight.name === name && sight.moment === 'RolledBack';
  });
  assert.equal(state.status?.update?.error?.code, 'BootFailed');
  const quarantined = state.status.quarantine?.map(({ version, reason }) => `${version} ${reason}`);
  assert.deepEqual(quarantined, ['2.3.0 BootFailed']);
  await witness.sights.when(`${name} is told to leave it`, ({ name: one, state: { spec } }) => {
    return one === name && spec.update?.hold?.reason === 'Quarantined';
  });
  await witness.everywhere(releaseGate);
  t.diagnostic(await witness.arrive('2.2.0'));
  assert.deepEqual(boots.since, { [name]: 3 });
  const halted = async () => /2\.3\.0.*BootFailed/.test((await witness.halted()) ?? '');
  await until('the rollout says that it has halted', halted);
});

test('after the power of the whole house failed in the middle of a rollout it goes on, and no node reboots in vain', async (t) => {
  await witness.everywhere(holdGate);
  const boots = new Boots(witness.stack.fleet.machines);
  await witness.publish('2.4.0');
  const { name } = await witness.when('Verifying');
  await witness.everywhere((machine) => witness.cutPower(machine.name));
  assert.deepEqual(await witness.holders(), [name]);
  await witness.everywhere((machine) => switchOn(machine));
  await witness.everywhere(releaseGate);
  t.diagnostic(await witness.arrive('2.4.0'));
  // Power came back once, and the update took one.
  assert.deepEqual(boots.since, { 'machine-1': 2, 'machine-2': 2 });
});

/** Cuts the power of a node and gives it back; which version it boots then. */
async function nextBootOf(name: string): Promise<string | undefined> {
  await witness.cutPower(name);
  return switchOn(witness.machine(name));
}

/** Gives a machine power; which version it boots then. */
async function switchOn(machine: RealMachine): Promise<string | undefined> {
  const { boots } = machine.state();
  machine.powerOn();
  return (await machine.waitForBoot(boots + 1, BOOT_WITHIN_MS)).version;
}

function slots(name: string): SlotState[] {
  return witness.machine(name).state().slots;
}

/** The boot loader would choose the slot that does not run. */
function isArmed(name: string): boolean {
  const { running, slots: both } = witness.machine(name).state();
  const [next] = both.toSorted((one, other) => other.priority - one.priority);
  return next !== undefined && next.name !== running && next.tries > 0;
}

function isMissed({ node }: Sight): boolean {
  return !isReady(node);
}
