import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isReady } from '#api/meta.ts';
import { until } from '#test/cluster/until.ts';
import { Boots } from './boots.fixture.ts';
import { releaseReboot } from './holds.fixture.ts';
import {
  advanceLineup,
  APART,
  dissolveLineup,
  FIRST,
  joinLast,
  leaveOut,
  prepareLineup,
  SECOND,
  UPDATED,
} from './lineup.fixture.ts';
import type { Moment } from './moment.fixture.ts';
import type { Sight } from './sights.fixture.ts';
import { Witness } from './witness.fixture.ts';

/**
 * One rollout, in which each node is kept in another phase while the API server restarts and while its network is
 * cut: four nodes in four phases, and then the same nodes in the next ones. Each test goes on where the one before
 * it ended.
 */
let witness: Witness;
let boots: Boots;

/** Long enough that every watch breaks and every request that is tried again fails. */
const DOWN_MS = 5000;
const MINUTE_MS = 60_000;
const GENEROUS = { timeoutMs: 360_000, everyMs: 200 };
const BOOT_WITHIN_MS = 240_000;
/** Of each answer: a slot takes four minutes. */
const SLOWLY = 48 * 1024;

before(async () => {
  witness = await Witness.start({
    machines: 5,
    budget: 4,
    // A node is on trial for as long as the API server and its network are away.
    gate: '30m',
    // Pods on nodes that are cut off are not Ready: the others could not be drained.
    disruption: '100%',
    values: APART,
    change: (group) => {
      leaveOut(group);
      Object.assign(group.spec.update?.rollout ?? {}, { retry: { limit: 9, backoff: '2s' } });
    },
  });
});
after(() => witness?.stop());

/** A test that goes on where the one before it ended; when that one failed, so does this one, at once. */
let unbroken = true;
function step(name: string, run: (t: TestContext) => Promise<void>): void {
  test(name, async (t) => {
    assert.ok(unbroken, 'the test before this one failed');
    unbroken = false;
    await run(t);
    unbroken = true;
  });
}

step('nodes come to stand in all phases of a rollout', async () => {
  boots = new Boots(witness.stack.fleet.machines);
  await prepareLineup(witness);
  await witness.publish('2.0.0');
  await stand(without(FIRST, 'machine-4'));
  witness.stack.payloads.bytesPerSecond = SLOWLY;
  await joinLast(witness);
  await witness.whenWritten('machine-4');
});

step(
  'an API server that restarts takes no node out of its phase: staging, draining, granted, on trial',
  async () => {
    await restartApiServer();
    await stand(FIRST);
    assert.deepEqual(boots.since, { 'machine-1': 1 });
  },
);

step(
  'a network that is cut for a minute: the node waits, which is told, whether it stages, is granted or is on trial',
  async () => {
    const minutes = [
      cutOff('machine-1', ({ moment }) => moment === 'Verifying'),
      cutOff('machine-2', isUnavailable),
      cutOff('machine-4', ({ state }) => state.spec.update?.hold?.reason === 'AgentSilent'),
    ];
    witness.stack.payloads.bytesPerSecond = undefined;
    await Promise.all(minutes);
    assert.deepEqual(boots.since, { 'machine-1': 1 });
  },
);

step('back again, each goes on from where it was', async () => {
  await advanceLineup(witness);
  await stand({ ...SECOND, 'machine-1': 'Succeeded' });
  assert.deepEqual(boots.since, { 'machine-1': 1 });
});

step('an API server that restarts takes no node out of its phase: staged, draining, going down', async () => {
  await restartApiServer();
  await stand(SECOND);
  assert.deepEqual(boots.since, { 'machine-1': 1 });
});

step(
  'a network that is cut for a minute: a node that drains or is staged waits, one that goes down reboots alone',
  async () => {
    await Promise.all([
      cutOff('machine-2', ({ moment }) => moment === 'Rebooting', rebootAlone),
      cutOff('machine-3', isUnavailable),
      cutOff('machine-4', isUnavailable),
    ]);
    assert.deepEqual(boots.since, { 'machine-1': 1, 'machine-2': 1 });
  },
);

step('after all that every node has the version, and has rebooted once for it', async (t) => {
  await dissolveLineup(witness);
  t.diagnostic(await witness.arrive('2.0.0', UPDATED));
  assert.deepEqual(boots.since, Object.fromEntries(UPDATED.map((name) => [name, 1])));
  for (const { name, state } of witness.sights.all.filter((one) => UPDATED.includes(one.name))) {
    const [last, ...before] = state.status?.history?.filter(({ version }) => version === '2.0.0') ?? [];
    assert.equal(last?.result, 'Succeeded', name);
    // Only what could not be fetched without a network has failed before.
    assert.equal(before.length > 0 && name !== 'machine-4', false, name);
  }
});

/** Resolves when each node is where it is to be, as the API server knows. */
async function stand(line: Readonly<Record<string, Moment>>): Promise<void> {
  const stands = async () => {
    const moments = await witness.moments();
    return Object.entries(line).every(([name, moment]) => moments[name] === moment);
  };
  try {
    await until(`nodes stand at ${Object.values(line).join(', ')}`, stands, GENEROUS);
  } catch (error) {
    throw new Error(`not all nodes came to where they are kept:\n${witness.sights.describe()}`, {
      cause: error,
    });
  }
}

function isUnavailable({ state }: Sight): boolean {
  return state.spec.reboot?.hold?.reason === 'NodeUnavailable';
}

/**
 * Crashes it, and resolves when everything has found back to it: nodes that were taken for lost meanwhile are Ready,
 * and the operators are at work.
 */
async function restartApiServer(): Promise<void> {
  const { cluster } = witness.stack;
  await cluster.stopApiServer();
  await sleep(DOWN_MS);
  const began = Date.now();
  await cluster.startApiServer();
  await until('everything has found back to it', () => witness.backSince(began), GENEROUS);
}

/** Pulls its cable for a minute, and for as long as it takes until the cluster knows and `told` holds. */
async function cutOff(
  name: string,
  told: (sight: Sight) => boolean,
  meanwhile: (name: string) => Promise<void> = async () => undefined,
): Promise<void> {
  const machine = witness.machine(name);
  machine.unplug();
  const minute = sleep(MINUTE_MS);
  const isTold = (sight: Sight) => sight.name === name && !isReady(sight.node) && told(sight);
  await witness.sights.when(`it is told where ${name} stands`, isTold);
  await meanwhile(name);
  await minute;
  machine.plug();
}

/** What is armed goes down and comes up with nobody to be asked. */
async function rebootAlone(name: string): Promise<void> {
  const machine = witness.machine(name);
  const before = machine.state().boots;
  await releaseReboot(machine);
  const { version } = await machine.waitForBoot(before + 1, BOOT_WITHIN_MS);
  assert.equal(version, '2.0.0');
}

function without<T extends Record<string, Moment>>(line: T, name: keyof T): Record<string, Moment> {
  return Object.fromEntries(Object.entries(line).filter(([one]) => one !== name));
}
