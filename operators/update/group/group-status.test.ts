import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeGroup } from '#api/kinds.ts';
import { nodeGroupSpec, nodeGroupStatus, type NodeGroupStatus } from '#api/node-group.ts';
import type { Plan } from '../rollout/plan.ts';
import type { Fate } from '../testing/simulated-fleet.ts';
import { SimulatedFleet } from '../testing/simulated-fleet.ts';
import { announcements } from './announcements.ts';
import { groupStatus } from './group-status.ts';
import { statusChange } from './status-change.ts';
import { StatusPace } from '#operators/rollout/status-pace.ts';

const KEY = `RW${'A'.repeat(54)}`;

/** A group whose status is carried from turn to turn, with the events that it would tell. */
class Group {
  readonly fleet: SimulatedFleet;
  status: NodeGroupStatus | undefined;
  readonly events: string[] = [];

  constructor(nodes: Record<string, Record<string, Fate>>, rollout: object = {}) {
    this.fleet = new SimulatedFleet({
      spec: nodeGroupSpec.parse({ nodeSelector: {}, update: { channel: 'stable', rollout } }),
      channel: { name: 'stable', keys: [KEY], blocked: new Set(), releases: [] },
      nodes: Object.entries(nodes).map(([name, fates]) => ({ name, running: '1.0.0', fates })),
    });
    this.publish('1.0.0');
  }

  publish(...versions: string[]): void {
    const releases = versions.map((version) => ({
      version,
      floor: false,
      payload: { manifest: `http://x/${version}` },
    }));
    this.fleet.channel = { ...this.fleet.channel, releases: releases.toReversed() };
  }

  turn(conflicts: { node: string; with: string[] }[] = []): NodeGroupStatus {
    const plan: Plan = this.fleet.reconcile();
    const spec = this.fleet.spec;
    const metadata = { name: 'g', generation: 1 };
    const object: NodeGroup = { apiVersion: 'careen.dev/v1alpha1', kind: 'NodeGroup', metadata, spec };
    if (this.status !== undefined) object.status = this.status;
    const now = new Date(this.fleet.now).toISOString();
    const next = groupStatus({
      object,
      policy: spec.update,
      plan,
      nodes: this.fleet.machines,
      conflicts,
      now,
    });
    this.events.push(...announcements(this.status, next).map(({ reason }) => reason));
    this.status = nodeGroupStatus.parse(next);
    return this.status;
  }

  work(): NodeGroupStatus {
    let status = this.turn();
    while (this.fleet.machines.filter((machine) => this.fleet.step(machine)).length > 0) status = this.turn();
    return status;
  }
}

function said(status: NodeGroupStatus, type: string): string | undefined {
  const condition = status.conditions?.find((one) => one.type === type);
  return condition === undefined ? undefined : `${condition.status} ${condition.reason}`;
}

test('a group whose nodes run the target already is complete and has rolled out nothing', () => {
  const group = new Group({ a: {}, b: {} });
  const status = group.turn();
  assert.equal(said(status, 'Complete'), 'True Arrived');
  assert.equal(said(status, 'Ready'), 'True Accepted');
  assert.equal(said(status, 'Stalled'), undefined);
  assert.equal(group.turn().history, undefined);
  assert.deepEqual(group.events, []);
});

test('a rollout is counted on its way, told once and entered into the history', () => {
  const group = new Group({ a: {}, b: {} });
  group.turn();
  group.publish('1.0.0', '2.0.0');
  const begun = group.turn();
  assert.deepEqual([begun.total, begun.staging, begun.upToDate], [2, 2, 0]);
  assert.equal(said(begun, 'Progressing'), 'True RollingOut');
  assert.equal(said(begun, 'Complete'), 'False InProgress');
  const done = group.work();
  assert.deepEqual([done.staging, done.upToDate, done.rollout?.target], [0, 2, '2.0.0']);
  assert.deepEqual(done.versions, [{ version: '2.0.0', nodes: 2 }]);
  assert.deepEqual(
    done.history?.map(({ version, result }) => [version, result]),
    [['2.0.0', 'Complete']],
  );
  assert.deepEqual(group.events, ['RolloutStarted', 'RolloutComplete']);
  assert.equal(statusChange(done, group.turn()), 'none');
});

test('a halt names the reason and the nodes, and stays in the history when another version follows', () => {
  const group = new Group({ a: { '2.0.0': 'bad-boot' } });
  group.turn();
  group.publish('1.0.0', '2.0.0');
  const halted = group.work();
  assert.equal(said(halted, 'Halted'), 'True TooManyFailures');
  assert.equal(said(halted, 'Ready'), 'True Accepted', 'the policy is still enforced');
  assert.deepEqual([halted.rolledBack, halted.quarantined, halted.held], [1, 1, 1]);
  assert.deepEqual(halted.rollout?.halted?.nodes, ['a']);
  group.publish('1.0.0', '2.0.0', '2.0.1');
  const done = group.work();
  assert.deepEqual(
    done.history?.map(({ result }) => result),
    ['Complete', 'Halted'],
  );
  assert.deepEqual(group.events, ['RolloutStarted', 'RolloutHalted', 'RolloutStarted', 'RolloutComplete']);
});

test('a target that gives way to another is superseded; what nodes cannot do is named with its reason', () => {
  const group = new Group({ a: {}, b: { '3.0.0': 'bad-boot' } }, { haltOn: { failures: 2 } });
  group.turn();
  group.publish('1.0.0', '2.0.0');
  group.turn();
  group.publish('1.0.0', '2.0.0', '3.0.0');
  const done = group.work();
  assert.deepEqual(
    done.history?.map(({ version, result }) => [version, result]),
    [
      ['3.0.0', 'Complete'],
      ['2.0.0', 'Superseded'],
    ],
  );
  assert.equal(said(done, 'Complete'), 'True ArrivedExceptHeld');
  assert.match(
    done.conditions?.find(({ type }) => type === 'Complete')?.message ?? '',
    /1 of 2 .*b \(Quarantined\)/,
  );
  assert.ok(group.events.includes('RolloutSuperseded'));
});

test('a conflict is a condition only while it lasts, and names nodes and groups', () => {
  const group = new Group({ a: {} });
  const status = group.turn([{ node: 'x', with: ['other'] }]);
  assert.match(status.conditions?.find(({ type }) => type === 'Conflict')?.message ?? '', /^other .*: x;/);
  assert.deepEqual(group.events, ['GroupConflict']);
  assert.equal(said(group.turn(), 'Conflict'), undefined);
});

test('counts wait for their pace, a story for a second, a target and a halt for nothing', () => {
  const pace = new StatusPace();
  assert.equal(pace.waitMs('g', 'counts', 0), 0);
  pace.wrote('g', 0);
  assert.deepEqual(
    (['none', 'counts', 'story', 'record'] as const).map((change) => pace.waitMs('g', change, 400)),
    [undefined, 9600, 600, 0],
  );
});
