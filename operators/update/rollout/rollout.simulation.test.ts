import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { nodeGroupSpec } from '#api/node-group.ts';
import { compareVersions } from '#api/version.ts';
import type { Channel } from '../channel/read-channel.ts';
import type { Plan } from './plan.ts';
import { isBeyondReturn, isStaging } from './progress.ts';
import { shareOf } from '#operators/rollout/share.ts';
import type { Fate } from '../testing/simulated-fleet.ts';
import { SimulatedFleet } from '../testing/simulated-fleet.ts';

/**
 * The model: whatever nodes do, in whatever order, and whatever the user changes meanwhile, every plan keeps
 * the rules of `check`, and once the user stops the group comes to an end.
 */

const VERSIONS = ['1.0.0', '1.5.0', '2.0.0', '2.1.0', '3.0.0'];
const KEY = `RW${'A'.repeat(54)}`;

const fate = fc.constantFrom<Fate>('good', 'good', 'good', 'bad-image', 'bad-boot', 'flaky-download');
const share = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom('1%', '20%', '50%', '100%'));

const wave = fc.record({
  size: share,
  nodeSelector: fc.constantFrom({}, { matchLabels: { zone: 'a' } }),
  soak: fc.constantFrom('0s', '10m'),
});

const update = fc.record({
  channel: fc.constant('stable'),
  allowDowngrade: fc.boolean(),
  paused: fc.constant(false),
  rollout: fc.record({
    waves: fc
      .array(wave, { maxLength: 3 })
      .map((waves) => waves.map((one, index) => ({ name: `w${index}`, ...one }))),
    maxStaging: share,
    haltOn: fc.record({
      failures: fc.integer({ min: 1, max: 5 }),
      percent: fc.constantFrom(10, 50, 100),
      minTried: fc.constantFrom(1, 5),
      acknowledged: fc.subarray(['2.0.0', '3.0.0'], { maxLength: 1 }),
    }),
    retry: fc.record({ limit: fc.integer({ min: 0, max: 3 }), backoff: fc.constant('1m') }),
  }),
});

const node = fc.record({
  running: fc.constantFrom('0.9.0', '1.0.0', '1.0.0', '1.0.0', '2.0.0', '9.0.0'),
  labels: fc.constantFrom({}, { zone: 'a' }, { zone: 'b' }),
  fates: fc.dictionary(fc.constantFrom(...VERSIONS), fate),
});

const channel = fc
  .record({
    floors: fc.subarray(VERSIONS, { maxLength: 2 }),
    blocked: fc.subarray(VERSIONS, { maxLength: 2 }),
    known: fc.subarray(VERSIONS, { minLength: 1 }),
  })
  .map(({ floors, blocked, known }): Channel => ({
    name: 'stable',
    keys: [KEY],
    blocked: new Set(blocked),
    releases: known
      .toSorted((a, b) => compareVersions(b, a))
      .map((version) => ({
        version,
        floor: floors.includes(version),
        payload: { manifest: `http://x/${version}` },
      })),
  }));

type Deed = 'node' | 'offline' | 'publish' | 'pause' | 'block' | 'time' | 'pin';
const deed = fc.record({
  what: fc.constantFrom<Deed>(
    'node',
    'node',
    'node',
    'node',
    'time',
    'offline',
    'publish',
    'pause',
    'block',
    'pin',
  ),
  pick: fc.nat(),
});

const story = fc.record({
  options: fc.record({
    spec: update.map((one) => nodeGroupSpec.parse({ nodeSelector: {}, update: one })),
    channel,
    nodes: fc
      .array(node, { minLength: 0, maxLength: 12 })
      .map((nodes) => nodes.map((one, index) => ({ name: `n${index}`, ...one }))),
  }),
  deeds: fc.array(deed, { maxLength: 60 }),
  order: fc.infiniteStream(fc.nat()),
});

test('no plan breaks a rule, and every rollout comes to an end, whatever nodes and users do', () => {
  fc.assert(
    fc.property(story, ({ options, deeds, order }) => {
      const fleet = new SimulatedFleet(options);
      const before = new Map<string, string | undefined>();
      const turn = () => check(fleet, fleet.reconcile(), before);
      turn();
      for (const one of deeds) {
        act(fleet, one.what, one.pick, options.channel);
        turn();
      }
      calm(fleet);
      const last = settle(fleet, order, turn);
      checkEnd(fleet, last);
    }),
    { numRuns: 2000 },
  );
});

test('no wave begins before those before it arrived, and every node costs one write', () => {
  const sizes = fc.array(share, { maxLength: 4 });
  const input = fc.record({
    count: fc.integer({ min: 1, max: 10 }),
    sizes,
    maxStaging: share,
    picks: fc.infiniteStream(fc.nat()),
  });
  fc.assert(
    fc.property(input, ({ count, sizes, maxStaging, picks }) => {
      const fleet = happyFleet(count, sizes, maxStaging);
      const offered = new Set<string>();
      for (let turns = 0; turns < 2000 && !fleet.reconcile(false).complete; turns += 1) {
        for (const { name, wanted } of fleet.machines) if (wanted.payload !== undefined) offered.add(name);
        const arrived = fleet.machines.filter(({ status }) => status.os?.version === '2.0.0').length;
        const allowed = allowedAt(arrived, count, sizes);
        assert.ok(
          offered.size <= allowed,
          `${offered.size} offered, ${allowed} may be when ${arrived} arrived`,
        );
        const machine = fleet.machines[picks.next().value % count];
        if (machine !== undefined) fleet.step(machine);
      }
      assert.ok(fleet.plan().complete);
      assert.deepEqual(new Set(fleet.writes.values()), new Set([1]));
    }),
    { numRuns: 150 },
  );
});

function happyFleet(count: number, sizes: (number | string)[], maxStaging: number | string): SimulatedFleet {
  const waves = sizes.map((size, index) => ({ name: `w${index}`, size }));
  const releases = [{ version: '2.0.0', floor: false, payload: { manifest: 'http://x/2.0.0' } }];
  const fleet = new SimulatedFleet({
    spec: nodeGroupSpec.parse({
      nodeSelector: {},
      update: { channel: 'stable', rollout: { waves, maxStaging } },
    }),
    channel: { name: 'stable', keys: [KEY], blocked: new Set(), releases },
    nodes: Array.from({ length: count }, (_, index) => ({ name: `n${index}`, running: '1.0.0' })),
  });
  for (const machine of fleet.machines) machine.wanted = { group: 'g', channel: 'stable' };
  return fleet;
}

/** How many nodes may have been offered the version once so many arrived: whole waves, one beyond the arrived. */
function allowedAt(arrived: number, count: number, sizes: (number | string)[]): number {
  let reach = 0;
  for (const size of sizes) {
    const wave = typeof size === 'number' ? size : Math.ceil((Number.parseInt(size, 10) * count) / 100);
    reach = Math.min(count, reach + wave);
    if (reach > arrived) return reach;
  }
  return count;
}

/** The rules that hold after every single reconcile. */
function check(fleet: SimulatedFleet, plan: Plan, before: Map<string, string | undefined>): Plan {
  const { spec, channel } = fleet;
  const rollout = spec.update?.rollout;
  // One that comes back from silence may be one too many; but then no other is let in.
  const begun = fleet.machines.some((one) => isStaging(one) && before.get(one.name) !== one.wanted.version);
  const waves = new Map((plan.rollout?.waves ?? []).map((one, index) => [one.name, index]));
  for (const machine of fleet.machines) {
    const { name, wanted, status } = machine;
    const running = status.os?.version ?? '';
    const assignment = plan.assignments.get(name);
    assert.ok(assignment?.verdict.message, `${name} has no reason`);
    if (assignment.action === 'leave') {
      assert.equal(wanted.version, before.get(name), `${name} was written past the point of no return`);
      continue;
    }
    if (assignment.action === 'withdraw') assert.equal(wanted.version, undefined);
    if (assignment.action === 'withdraw' && assignment.verdict.reason !== 'UpToDate') {
      assert.equal(wanted.hold?.reason, assignment.verdict.reason, `${name} is held without saying why`);
    }
    if (wanted.payload !== undefined && wanted.version !== running) checkOffer(machine, channel, spec, plan);
    before.set(name, wanted.version);
  }
  if (plan.target?.version !== undefined && begun) {
    const staging = fleet.machines.filter((one) => isStaging(one) && one.ready).length;
    const limit = shareOf(rollout?.maxStaging ?? '100%', fleet.machines.length, 'down');
    assert.ok(staging <= limit, `${staging} nodes stage, ${limit} may`);
  }
  assert.ok(waves.size <= 4);
  const writes = [...fleet.writes.values()].reduce((sum, one) => sum + one, 0);
  fleet.reconcile();
  const again = [...fleet.writes.values()].reduce((sum, one) => sum + one, 0);
  assert.equal(again, writes, 'planning on the result writes something');
  return plan;
}

function checkOffer(
  { name, wanted, status }: SimulatedFleet['machines'][number],
  channel: Channel,
  spec: SimulatedFleet['spec'],
  plan: Plan,
): void {
  const { version = '', attempt = 0 } = wanted;
  const running = status.os?.version ?? '';
  assert.ok(!channel.blocked.has(version), `${name} is offered ${version}, which is blocked`);
  assert.equal(plan.rollout?.halted, undefined, `${name} is offered ${version} in a halted rollout`);
  const isOlder = compareVersions(version, running) < 0;
  assert.ok(!isOlder || spec.update?.allowDowngrade, `${name} is offered ${version}, older than ${running}`);
  const quarantine = status.quarantine?.find((entry) => entry.version === version);
  const isAcknowledged = spec.update?.rollout.haltOn.acknowledged.includes(version);
  if (quarantine !== undefined) {
    assert.ok(
      isAcknowledged && attempt > quarantine.attempt,
      `${name} is offered ${version}, quarantined on it`,
    );
  }
  for (const { version: floor, floor: isFloor } of channel.releases) {
    const isBetween = compareVersions(floor, running) > 0 && compareVersions(floor, version) < 0;
    assert.ok(!(isFloor && isBetween), `${name} jumps over floor ${floor} from ${running} to ${version}`);
  }
}

function act(fleet: SimulatedFleet, what: Deed, pick: number, all: Channel): void {
  const machine = fleet.machines[pick % Math.max(1, fleet.machines.length)];
  const policy = fleet.spec.update;
  if (policy === undefined) return;
  const versions = all.releases.map(({ version }) => version);
  const version = versions[pick % versions.length] ?? '';
  if (what === 'node' && machine !== undefined) fleet.step(machine);
  if (what === 'offline' && machine !== undefined) machine.ready = !machine.ready;
  if (what === 'time') fleet.now += (pick % 20) * 60_000;
  if (what === 'pause') policy.paused = !policy.paused;
  if (what === 'block') {
    const blocked = fleet.channel.blocked;
    fleet.channel = {
      ...fleet.channel,
      blocked: blocked.has(version) ? new Set() : new Set([...blocked, version]),
    };
  }
  if (what === 'pin') {
    if (policy.version === undefined) policy.version = version;
    else delete policy.version;
  }
  if (what === 'publish')
    fleet.channel = { ...fleet.channel, releases: all.releases.slice(pick % all.releases.length) };
}

/** The user stops touching things, resumes what is paused, and the nodes come back. */
function calm(fleet: SimulatedFleet): void {
  if (fleet.spec.update !== undefined) fleet.spec.update.paused = false;
  for (const machine of fleet.machines) machine.ready = true;
}

/** Lets nodes work in random order until nothing moves any more, then time pass; as long as that changes anything. */
function settle(fleet: SimulatedFleet, order: fc.Stream<number>, turn: () => Plan): Plan {
  let plan = turn();
  for (let round = 0; round < 600; round += 1) {
    const moved = fleet.machines.filter((one) => order.next().value % 3 !== 0 && fleet.step(one)).length;
    plan = turn();
    const isQuiet = moved === 0 && !fleet.machines.some((one) => fleet.step(one));
    if (isQuiet && plan.nextCheckAt === undefined) return plan;
    if (isQuiet && plan.nextCheckAt !== undefined) fleet.now = plan.nextCheckAt;
  }
  assert.fail('the rollout does not come to an end');
}

function checkEnd(fleet: SimulatedFleet, plan: Plan): void {
  if (plan.target?.version === undefined) return;
  assert.ok(plan.complete || plan.rollout?.halted !== undefined, 'neither complete nor halted');
  for (const machine of fleet.machines) {
    assert.ok(!isBeyondReturn(machine));
    const reason = plan.assignments.get(machine.name)?.verdict.reason;
    assert.notEqual(reason, 'Offered', `${machine.name} is still on its way`);
    if (machine.status.os?.version === plan.target.version) assert.equal(reason, 'UpToDate');
    else assert.equal(machine.wanted.hold?.reason, reason);
  }
}
