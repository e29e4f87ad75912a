import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { nodeGroupSpec } from '#api/node-group.ts';
import { readChannel } from '../channel/read-channel.ts';
import type { NodeFacts } from './facts.ts';
import type { Plan } from './plan.ts';
import { planRollout } from './plan.ts';
import { SimulatedFleet } from '../testing/simulated-fleet.ts';
import type { Fate } from '../testing/simulated-fleet.ts';

/** One test for each reason that a person can meet, and for the decisions that are easy to get wrong. */

const KEY = `RW${'A'.repeat(54)}`;
type UpdateInput = NonNullable<z.input<typeof nodeGroupSpec>['update']>;
type Floors = Record<string, string>;

function channelOf(
  versions: string[],
  { floors = {}, blocked = [] }: { floors?: Floors; blocked?: string[] } = {},
) {
  const releases = versions.map((version) => ({
    version,
    payload: { manifest: `http://payloads/${version}` },
    floor: version in floors,
    ...(version in floors ? { floorReason: floors[version] } : {}),
  }));
  const { channel } = readChannel('stable', { keys: [KEY], source: { releases }, blocked });
  assert.ok(channel !== undefined);
  return channel;
}

function fleetOf(
  nodes: Record<string, { running: string; fates?: Record<string, Fate>; labels?: Record<string, string> }>,
  update: Partial<UpdateInput> = {},
  channel = channelOf(['1.0.0', '2.0.0']),
): SimulatedFleet {
  return new SimulatedFleet({
    spec: nodeGroupSpec.parse({ nodeSelector: {}, update: { channel: 'stable', ...update } }),
    channel,
    nodes: Object.entries(nodes).map(([name, one]) => ({ name, ...one })),
  });
}

function many(count: number, running = '1.0.0'): Record<string, { running: string }> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, { running }]));
}

function reasons(plan: Plan): Record<string, string> {
  return Object.fromEntries([...plan.assignments].map(([node, { verdict }]) => [node, verdict.reason]));
}

function count(plan: Plan, reason: string): number {
  return Object.values(reasons(plan)).filter((one) => one === reason).length;
}

function messageOf(plan: Plan, node: string): string {
  return plan.assignments.get(node)?.verdict.message ?? '';
}

function edit(
  fleet: SimulatedFleet,
  name: string,
  change: (node: SimulatedFleet['machines'][number]) => void,
): void {
  for (const machine of fleet.machines) if (machine.name === name) change(machine);
}

/** Lets every machine work until none moves. */
function work(fleet: SimulatedFleet, mayReboot = true): Plan {
  let plan = fleet.reconcile();
  while (fleet.machines.filter((machine) => fleet.step(machine, mayReboot)).length > 0)
    plan = fleet.reconcile();
  return plan;
}

test('one wave: every node is offered the newest release, arrives with one write and never saw a hold', () => {
  const fleet = fleetOf(many(5));
  const plan = fleet.reconcile(false);
  assert.deepEqual(new Set(Object.values(reasons(plan))), new Set(['Offered']));
  while (fleet.machines.filter((machine) => fleet.step(machine)).length > 0) fleet.reconcile(false);
  assert.ok(fleet.reconcile(false).complete);
  assert.deepEqual([...fleet.writes.values()], [1, 1, 1, 1, 1]);
});

test('maxStaging costs no further write when a place becomes free before the hold settles', () => {
  const fleet = fleetOf(many(6), { rollout: { maxStaging: 2 } });
  for (const machine of fleet.machines) machine.wanted = { group: 'g', channel: 'stable' };
  while (fleet.machines.filter((machine) => (fleet.reconcile(false), fleet.step(machine))).length > 0);
  assert.ok(fleet.reconcile(false).complete);
  assert.deepEqual([...fleet.writes.values()], [1, 1, 1, 1, 1, 1]);
});

test('a node that runs the target is up to date and needs no payload', () => {
  const fleet = fleetOf({ a: { running: '2.0.0' } });
  assert.deepEqual(reasons(fleet.reconcile()), { a: 'UpToDate' });
  assert.deepEqual(fleet.machines[0]?.wanted, { group: 'g', channel: 'stable', version: '2.0.0' });
});

test('a group without an update policy asks nothing, and one without a channel says so', () => {
  const facts: NodeFacts = {
    name: 'a',
    labels: {},
    ready: true,
    cordoned: false,
    bootID: 'b',
    wanted: {},
    status: undefined,
  };
  const common = {
    nodes: [facts],
    previous: undefined,
    now: 0,
    channel: { missing: 'there is no UpdateChannel x' },
  };
  assert.deepEqual(reasons(planRollout({ ...common, group: { name: 'g' } })), { a: 'UpToDate' });
  const update = nodeGroupSpec.parse({ nodeSelector: {}, update: { channel: 'x' } }).update;
  const plan = planRollout({ ...common, group: { name: 'g', update } });
  assert.deepEqual(reasons(plan), { a: 'NoChannel' });
  assert.match(messageOf(plan, 'a'), /there is no UpdateChannel x/);
});

test('a pin goes to just that release, and says so when it does not exist or is blocked', () => {
  const channel = channelOf(['1.0.0', '1.5.0', '2.0.0'], { blocked: ['2.0.0'] });
  assert.equal(fleetOf(many(1), { version: '1.5.0' }, channel).plan().target?.version, '1.5.0');
  assert.deepEqual(reasons(fleetOf(many(1), { version: '7.0.0' }, channel).plan()), { n0: 'PinNotFound' });
  assert.deepEqual(reasons(fleetOf(many(1), { version: '2.0.0' }, channel).plan()), { n0: 'Blocked' });
});

test('blocking a version takes it from nodes that staged it, and moves those that run it only as allowed', () => {
  const fleet = fleetOf({ a: { running: '1.0.0' }, b: { running: '2.0.0' } });
  work(fleet, false);
  fleet.channel = channelOf(['1.0.0', '2.0.0'], { blocked: ['2.0.0'] });
  const plan = fleet.reconcile();
  assert.deepEqual(reasons(plan), { a: 'UpToDate', b: 'DowngradeNotAllowed' });
  assert.match(messageOf(plan, 'b'), /runs 2.0.0, which is blocked/);
  fleet.spec.update!.allowDowngrade = true;
  fleet.reconcile();
  assert.equal(fleet.machines[1]?.wanted.version, '1.0.0');
  assert.equal(fleet.machines[1]?.wanted.allowDowngrade, true);
});

test('a node that runs something newer than the whole channel is explained and holds nobody up', () => {
  const fleet = fleetOf(
    { a: { running: '9.0.0' }, b: { running: '1.0.0' } },
    { rollout: { waves: [{ name: 'first', size: 1 }] } },
  );
  const plan = work(fleet);
  assert.match(messageOf(plan, 'a'), /9.0.0, newer than anything in channel stable/);
  assert.ok(plan.complete);
});

test('floors are passed through one after another, lowest first; a blocked floor shuts the way and says why', () => {
  const floors = { '1.5.0': 'new boot loader', '1.8.0': 'new file system' };
  const versions = ['1.0.0', '1.5.0', '1.8.0', '2.0.0'];
  const fleet = fleetOf(many(1), {}, channelOf(versions, { floors }));
  const seen: string[] = [];
  do {
    fleet.reconcile();
    const version = fleet.machines[0]?.wanted.version ?? '';
    if (seen.at(-1) !== version) seen.push(version);
  } while (fleet.machines.some((machine) => fleet.step(machine)));
  assert.deepEqual(seen, ['1.5.0', '1.8.0', '2.0.0']);
  assert.deepEqual([...fleet.writes.values()], [3]);
  const shut = fleetOf(many(1), {}, channelOf(versions, { floors, blocked: ['1.5.0'] })).plan();
  assert.deepEqual(reasons(shut), { n0: 'Blocked' });
  assert.match(messageOf(shut, 'n0'), /1.5.0 must be passed through .*new boot loader.* blocked/);
});

test('a version that failed after its boot is quarantined on the node and not tried again by itself', () => {
  const fleet = fleetOf(
    { a: { running: '1.0.0', fates: { '2.0.0': 'bad-boot' } }, b: { running: '1.0.0' } },
    {
      rollout: { haltOn: { failures: 2 } },
    },
  );
  const plan = work(fleet);
  assert.deepEqual(reasons(plan), { a: 'Quarantined', b: 'UpToDate' });
  assert.match(messageOf(plan, 'a'), /2.0.0 failed on this node: HealthDeadline/);
  assert.equal(fleet.machines[0]?.wanted.version, undefined);
  assert.ok(plan.complete, 'one failure is tolerated: the rollout is over');
});

test('an acknowledged version is tried again, with a further attempt, and only as often as the limit says', () => {
  const fleet = fleetOf({ a: { running: '1.0.0', fates: { '2.0.0': 'bad-boot' } } });
  assert.deepEqual(reasons(work(fleet)), { a: 'Quarantined' });
  fleet.spec.update!.rollout.haltOn.acknowledged = ['2.0.0'];
  fleet.spec.update!.rollout.retry.limit = 2;
  for (const attempt of [2, 3]) {
    fleet.now += 3_600_000;
    fleet.reconcile();
    assert.equal(fleet.machines[0]?.wanted.attempt, attempt);
    work(fleet);
  }
  fleet.now += 3_600_000;
  const plan = work(fleet);
  assert.deepEqual(reasons(plan), { a: 'RetriesExhausted' });
  assert.equal(plan.rollout?.halted, undefined);
});

test('too many failures halt: the version is taken from all but those past the point of no return', () => {
  const fleet = fleetOf({ ...many(4), bad: { running: '1.0.0', fates: { '2.0.0': 'bad-boot' } } });
  work(fleet, false);
  edit(fleet, 'n0', (node) => fleet.step(node));
  edit(fleet, 'bad', (node) => {
    for (let step = 0; step < 3; step += 1) fleet.step(node);
  });
  const plan = fleet.reconcile();
  assert.deepEqual(reasons(plan), {
    bad: 'Quarantined',
    n0: 'Offered',
    n1: 'Halted',
    n2: 'Halted',
    n3: 'Halted',
  });
  assert.equal(fleet.machines.find(({ name }) => name === 'n0')?.wanted.version, '2.0.0');
  assert.deepEqual(plan.rollout?.halted?.nodes, ['bad']);
  assert.match(messageOf(plan, 'n1'), /1 of 1 nodes that tried 2.0.0 failed; haltOn.failures is 1/);
});

test('a halt outlives the node that caused it, and ends with another version or an acknowledgement', () => {
  const fleet = fleetOf({ ...many(2), bad: { running: '1.0.0', fates: { '2.0.0': 'bad-boot' } } });
  fleet.reconcile();
  edit(fleet, 'bad', (node) => {
    for (let step = 0; step < 5; step += 1) fleet.step(node);
  });
  assert.ok(fleet.reconcile().rollout?.halted);
  fleet.machines.splice(2, 1);
  assert.ok(fleet.reconcile().rollout?.halted);
  const acknowledged = structuredClone(fleet.spec);
  acknowledged.update!.rollout.haltOn.acknowledged = ['2.0.0'];
  const before = fleet.spec;
  fleet.spec = acknowledged;
  assert.equal(fleet.plan().rollout?.halted, undefined);
  fleet.spec = before;
  fleet.channel = channelOf(['1.0.0', '2.0.0', '2.0.1']);
  assert.deepEqual(reasons(fleet.reconcile()), { n0: 'Offered', n1: 'Offered' });
});

test('percent halts only once minTried nodes have tried', () => {
  const bad = { running: '1.0.0', fates: { '2.0.0': 'bad-boot' as const } };
  const haltOn = { failures: 100, percent: 30, minTried: 4 };
  const fleet = fleetOf({ ...many(6), x: bad, y: bad }, { rollout: { haltOn } });
  fleet.reconcile();
  const run = (name: string) =>
    edit(fleet, name, (node) => {
      while (fleet.step(node));
    });
  for (const name of ['x', 'y', 'n0']) run(name);
  assert.equal(fleet.reconcile().rollout?.halted, undefined, '2 of 3 failed, but only 3 have tried');
  run('n1');
  assert.match(fleet.reconcile().rollout?.halted?.reason ?? '', /2 of 4 .*haltOn.percent is 30/);
});

test('a first wave of which no node arrives halts, however many failures are tolerated', () => {
  const bad = { running: '1.0.0', fates: { '2.0.0': 'bad-boot' as const }, labels: { canary: 'yes' } };
  const waves = [{ name: 'canary', nodeSelector: { matchLabels: { canary: 'yes' } } }];
  const fleet = fleetOf({ ...many(3), x: bad }, { rollout: { waves, haltOn: { failures: 9 } } });
  assert.match(work(fleet).rollout?.halted?.reason ?? '', /no node of wave canary arrived at 2.0.0/);
});

test('waves go one after another; a later one waits, then soaks, then begins', () => {
  const waves = [{ name: 'first', size: '10%', soak: '10m' }];
  const fleet = fleetOf(many(11), { rollout: { waves } });
  const first = fleet.reconcile();
  assert.equal(count(first, 'Offered'), 2, '10 % of 11 rounds up');
  assert.equal(count(first, 'WaitingForWave'), 9);
  const soaking = work(fleet);
  assert.equal(count(soaking, 'Soaking'), 9);
  assert.equal(soaking.nextCheckAt, fleet.now + 600_000);
  fleet.now += 599_999;
  assert.equal(count(fleet.reconcile(), 'Soaking'), 9);
  fleet.now += 1;
  assert.equal(count(fleet.reconcile(), 'Offered'), 9);
  assert.ok(work(fleet).complete);
});

test('an offline node of a wave holds the next wave and is named; one that joins a passed wave does not', () => {
  const waves = [{ name: 'first', nodeSelector: { matchLabels: { canary: 'yes' } } }];
  const labels = { canary: 'yes' };
  const fleet = fleetOf(
    { a: { running: '1.0.0', labels }, b: { running: '1.0.0', labels }, c: { running: '1.0.0' } },
    { rollout: { waves } },
  );
  edit(fleet, 'b', (node) => (node.ready = false));
  assert.deepEqual(reasons(work(fleet)), { a: 'UpToDate', b: 'AgentSilent', c: 'WaitingForWave' });
  edit(fleet, 'b', (node) => (node.ready = true));
  fleet.reconcile();
  edit(fleet, 'b', (node) => {
    while (fleet.step(node));
  });
  assert.deepEqual(reasons(fleet.reconcile()), { a: 'UpToDate', b: 'UpToDate', c: 'Offered' });
  edit(
    fleet,
    'b',
    (node) => (node.status = { ...node.status, os: { id: 'os', version: '1.0.0' }, update: undefined }),
  );
  edit(fleet, 'b', (node) => (node.wanted = {}));
  assert.deepEqual(reasons(fleet.reconcile()), { a: 'UpToDate', b: 'Offered', c: 'Offered' });
});

test('paused gives nobody a new version; those on their way finish, and what is newer waits', () => {
  const fleet = fleetOf(many(3), { rollout: { maxStaging: 1 } });
  fleet.reconcile();
  fleet.spec.update!.paused = true;
  fleet.channel = channelOf(['1.0.0', '2.0.0', '3.0.0']);
  const plan = fleet.reconcile();
  assert.equal(plan.target?.version, '2.0.0', 'what is under way stays the target');
  assert.deepEqual(Object.values(reasons(plan)).toSorted(), ['Offered', 'Paused', 'Paused']);
  const after = work(fleet);
  assert.equal(after.target?.version, '3.0.0');
  assert.deepEqual(new Set(Object.values(reasons(after))), new Set(['Paused']));
});

test('a newer target takes the place of one that is only staged, and leaves nodes that reboot alone', () => {
  const fleet = fleetOf(many(3));
  work(fleet, false);
  edit(fleet, 'n1', (node) => fleet.step(node));
  fleet.channel = channelOf(['1.0.0', '2.0.0', '3.0.0']);
  fleet.reconcile();
  assert.deepEqual(
    fleet.machines.map(({ wanted }) => wanted.version),
    ['3.0.0', '2.0.0', '3.0.0'],
  );
  assert.ok(work(fleet).complete);
  assert.deepEqual(
    fleet.machines.map(({ status }) => status.os?.version),
    ['3.0.0', '3.0.0', '3.0.0'],
  );
});

test('a failure to stage is retried with a growing wait until the retries are exhausted', () => {
  const fleet = fleetOf(
    { a: { running: '1.0.0', fates: { '2.0.0': 'bad-image' } } },
    { rollout: { retry: { limit: 2, backoff: '1m' } } },
  );
  const waits: number[] = [];
  for (let plan = work(fleet); plan.nextCheckAt !== undefined; plan = work(fleet)) {
    assert.deepEqual(reasons(plan), { a: 'BackingOff' });
    waits.push(plan.nextCheckAt - fleet.now);
    fleet.now = plan.nextCheckAt;
  }
  assert.deepEqual(waits, [60_000, 120_000]);
  assert.deepEqual(reasons(fleet.plan()), { a: 'RetriesExhausted' });
  assert.equal(fleet.machines[0]?.wanted.version, undefined);
  edit(fleet, 'a', (node) => {
    node.status = { ...node.status, update: { phase: 'Idle', since: '2026-01-01T00:00:00Z' } };
    const failure = { version: '2.0.0', result: 'Failed' as const, finishedAt: '2026-01-01T00:00:00Z' };
    node.status.history = [failure, failure, failure];
  });
  assert.deepEqual(
    reasons(fleet.plan()),
    { a: 'RetriesExhausted' },
    'the history remembers when the phase does not',
  );
});

test('a node without slots, and one without an agent, say so and are given nothing', () => {
  const fleet = fleetOf(many(3));
  edit(fleet, 'n0', (node) => (node.status.engine = 'none'));
  edit(fleet, 'n1', (node) => (node.status = {}));
  edit(fleet, 'n2', (node) => (node.bootID = 'another boot'));
  const plan = fleet.reconcile();
  assert.deepEqual(reasons(plan), { n0: 'EngineUnsupported', n1: 'AgentSilent', n2: 'AgentSilent' });
  assert.ok(!plan.complete, 'silent nodes have not arrived');
});

test('a halt tells with which errors nodes failed', () => {
  const fleet = fleetOf({ ...many(1), a: { running: '1.0.0', fates: { '2.0.0': 'bad-boot' } } });
  assert.match(work(fleet).rollout?.halted?.reason ?? '', /; HealthDeadline$/);
});

test('waves that nobody could be in are not over: nodes that become eligible go wave after wave', () => {
  const fleet = fleetOf(
    { ...many(6, '3.0.0'), at: { running: '2.0.0' } },
    { rollout: { waves: [{ name: 'first', size: 2 }] } },
  );
  assert.equal(count(fleet.reconcile(), 'DowngradeNotAllowed'), 6);
  fleet.spec.update!.allowDowngrade = true;
  const plan = fleet.reconcile();
  assert.ok(
    count(plan, 'Offered') <= 2,
    `${count(plan, 'Offered')} nodes go back at once, the first wave has 2`,
  );
  assert.ok(work(fleet).complete);
});

test('nodes that join an empty group go wave after wave', () => {
  const fleet = fleetOf(many(6), {
    rollout: {
      waves: [
        { name: 'first', size: 1 },
        { name: 'second', size: 2 },
      ],
    },
  });
  const all = fleet.machines.splice(0);
  fleet.reconcile();
  fleet.machines.push(...all);
  assert.equal(count(fleet.reconcile(), 'Offered'), 1);
  assert.ok(work(fleet).complete);
});

test('a version whose download failed as often as it may is downloaded again once it is acknowledged', () => {
  const fleet = fleetOf(
    { a: { running: '1.0.0', fates: { '2.0.0': 'bad-image' } } },
    { rollout: { retry: { limit: 1, backoff: '1m' } } },
  );
  const exhaust = () => {
    let plan = work(fleet);
    for (; plan.nextCheckAt !== undefined; plan = work(fleet)) fleet.now = plan.nextCheckAt;
    return plan;
  };
  assert.ok(exhaust().rollout?.halted);
  fleet.spec.update!.rollout.haltOn.acknowledged = ['2.0.0'];
  edit(fleet, 'a', (node) => (node.fates = {}));
  assert.ok(exhaust().complete);
  assert.deepEqual(reasons(fleet.plan()), { a: 'UpToDate' });
});

test('a node that fell silent while it staged takes no place from the others', () => {
  const fleet = fleetOf(many(2), { rollout: { maxStaging: 1 } });
  const first = [...fleet.reconcile().assignments].find(([, { action }]) => action === 'offer')?.[0] ?? '';
  edit(fleet, first, (node) => (node.ready = false));
  const plan = fleet.reconcile();
  assert.equal(reasons(plan)[first], 'AgentSilent');
  assert.equal(count(plan, 'Offered'), 1);
});

test('a node whose agent reports a fault of its own instead of working says so and takes no place', () => {
  const fleet = fleetOf(many(2), { rollout: { maxStaging: 1 } });
  const first = [...fleet.reconcile().assignments].find(([, { action }]) => action === 'offer')?.[0] ?? '';
  const error = { code: 'StateUnwritable' as const, message: 'cannot write' };
  edit(
    fleet,
    first,
    (node) => (node.status.update = { phase: 'Failed', error, since: '2026-01-01T00:00:00Z' }),
  );
  const plan = fleet.reconcile();
  assert.equal(reasons(plan)[first], 'AgentFaulty');
  assert.match(messageOf(plan, first), /StateUnwritable: cannot write/);
  assert.equal(
    fleet.machines.find(({ name }) => name === first)?.wanted.version,
    '2.0.0',
    'it keeps its offer',
  );
  assert.equal(count(plan, 'Offered'), 1);
  edit(
    fleet,
    first,
    (node) => (node.status.update = { ...node.status.update!, version: '2.0.0', attempt: 1 }),
  );
  fleet.reconcile();
  assert.deepEqual(
    fleet.machines.find(({ name }) => name === first)?.wanted,
    {
      group: 'g',
      channel: 'stable',
      hold: { reason: 'AgentFaulty', message: messageOf(plan, first), since: '2026-01-01T00:00:00.000Z' },
    },
    'a reboot lock that keeps a place for it sees that the report was read',
  );
  edit(fleet, first, (node) => delete node.status.update);
  assert.ok(work(fleet).complete, 'mended, it is offered the version again');
});

test('a pause right after a new target was chosen leaves the node that was given it on its way', () => {
  const fleet = fleetOf(many(3), { rollout: { maxStaging: 1 } }, channelOf(['1.0.0']));
  fleet.reconcile();
  const recorded = fleet.rollout;
  fleet.channel = channelOf(['1.0.0', '2.0.0']);
  fleet.reconcile();
  fleet.rollout = recorded;
  fleet.spec.update!.paused = true;
  const plan = fleet.reconcile();
  assert.equal(plan.target?.version, '2.0.0');
  assert.deepEqual(Object.values(reasons(plan)).toSorted(), ['Offered', 'Paused', 'Paused']);
});

test('a retry does not wait for the time that a node with a wrong clock names', () => {
  const fleet = fleetOf(
    { a: { running: '1.0.0', fates: { '2.0.0': 'bad-image' } } },
    { rollout: { retry: { limit: 1, backoff: '1m' } } },
  );
  const began = fleet.now;
  fleet.reconcile();
  fleet.now = Date.parse('2099-01-01T00:00:00Z');
  edit(fleet, 'a', (node) => {
    while (fleet.step(node));
  });
  fleet.now = began;
  assert.equal(fleet.reconcile().nextCheckAt, began + 60_000);
  fleet.now += 59_000;
  assert.deepEqual(reasons(fleet.reconcile()), { a: 'BackingOff' });
  fleet.now += 1000;
  assert.deepEqual(reasons(fleet.reconcile()), { a: 'Offered' });
});

test('a wait that is longer than dates reach is planned with all the same', () => {
  const waves = [{ name: 'first', size: 1, soak: '99999999999999h' }];
  const fleet = fleetOf(
    { ...many(2), a: { running: '1.0.0', fates: { '2.0.0': 'bad-image' } } },
    { rollout: { waves, haltOn: { failures: 9 }, retry: { backoff: '99999999999999h' } } },
  );
  const plan = work(fleet);
  assert.ok(count(plan, 'Soaking') + count(plan, 'WaitingForWave') > 0);
});
