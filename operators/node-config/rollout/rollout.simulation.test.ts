import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { shareOf } from '#operators/rollout/share.ts';
import type { SimulatedConfig, SimulatedNode } from '../testing/simulated-nodes.ts';
import { policyOf, SimulatedNodes } from '../testing/simulated-nodes.ts';
import { leadOf } from './chain.ts';
import type { NodeFacts } from './facts.ts';
import { hasFailed, isInForce, isTold } from './facts.ts';
import type { Plan } from './plan.ts';
import type { Rollout } from './rollout.ts';

/**
 * The model: whatever nodes do, in whatever order, and whatever the user changes meanwhile, every plan keeps the
 * rules of `check`, and once the user stops every node comes to an end.
 */

const NAMES = ['a', 'b', 'c'];
const share = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom('1%', '34%', '100%'));
const wave = fc.record({ size: share, soak: fc.constantFrom('0s', '10m') });
const rollout = fc.record({
  waves: fc
    .array(wave, { maxLength: 3 })
    .map((waves) => waves.map((one, index) => ({ name: `w${index}`, ...one }))),
  maxApplying: share,
  haltOn: fc.record({ failures: fc.integer({ min: 1, max: 4 }) }),
  approval: fc.constantFrom('None', 'None', 'Required'),
});
const config = fc.tuple(rollout, fc.boolean()).map(([policy, paused]) => policyOf(policy, paused));
const node = fc.record({
  configs: fc.subarray(NAMES),
  bad: fc.subarray(['a@1', 'b@1', 'a@2', 'c@2']).map((all) => new Set(all)),
});
type Deed = 'node' | 'silence' | 'change' | 'back' | 'pause' | 'approve' | 'time';
const deed = fc.record({
  what: fc.constantFrom<Deed>(
    'node',
    'node',
    'node',
    'node',
    'silence',
    'change',
    'back',
    'pause',
    'approve',
    'time',
  ),
  pick: fc.nat(),
});
const story = fc.record({
  configs: fc.tuple(config, config, config),
  nodes: fc.array(node, { minLength: 1, maxLength: 12 }),
  deeds: fc.array(deed, { maxLength: 60 }),
});

test('whatever nodes and users do: room, waves, halts and approvals are kept, and it comes to an end', () => {
  fc.assert(
    fc.property(story, ({ configs, nodes, deeds }) => {
      const fleet = new SimulatedNodes(
        configs.map((spec, index): SimulatedConfig => ({ name: NAMES[index] ?? '', version: 1, spec })),
        nodes.map((one, index) => ({ name: `n${index}`, ...one })),
      );
      turn(fleet);
      for (const { what, pick } of deeds) {
        act(fleet, what, pick);
        turn(fleet);
      }
      calm(fleet);
      checkEnd(fleet, settle(fleet));
    }),
    { numRuns: 600 },
  );
});

test('with waves every node costs two writes, the first wave one', () => {
  const fleet = new SimulatedNodes(
    [{ name: 'a', version: 1, spec: policyOf({ waves: [{ name: 'first', size: 2 }] }) }],
    Array.from({ length: 10 }, (_, index) => ({ name: `n${index}`, configs: ['a'], bad: new Set<string>() })),
  );
  for (let round = 0; round < 20; round += 1) {
    fleet.reconcile(false);
    for (const one of fleet.nodes) fleet.step(one);
  }
  assert.ok(fleet.nodes.every(({ status }) => status?.applied === 'a@1'));
  assert.equal(fleet.writes, 2 + 8 * 2);
});

/** Plans, checks what came out, and that planning again on it asks for the same. */
function turn(fleet: SimulatedNodes): Plan {
  const before = new Map(fleet.facts().map((one) => [one.name, isTold(one)]));
  const generations = new Map(fleet.nodes.map(({ name, wanted }) => [name, wanted.generation ?? 0]));
  const plan = fleet.reconcile();
  const facts = fleet.facts();
  const begun = facts.filter((one) => isTold(one) && before.get(one.name) === false);
  for (const { name, spec } of fleet.configs) {
    const rolling = plan.rollouts.get(name);
    const of = (one: (typeof facts)[number]) =>
      one.target.kind === 'config' && one.target.differs.includes(name);
    const mine = begun.filter(of);
    if (mine.length === 0) continue;
    assert.ok(!spec.paused, `${name} is paused and begins on ${mine[0]?.name}`);
    assert.equal(rolling?.status?.halted, undefined, `${name} is halted and begins on ${mine[0]?.name}`);
    const approved = spec.rollout.approval === 'None' || spec.rollout.approvedPlan === rolling?.planned;
    assert.ok(approved, `${name} is not approved and begins on ${mine[0]?.name}`);
    const total = facts.filter(
      (one) => one.target.kind === 'config' && one.target.configs.includes(name),
    ).length;
    // One that was not heard of for so long that it counts as failed has given its place away.
    const isLost = (one: NodeFacts) => !one.heard && rolling?.outcomes.get(one.name) === 'failed';
    const applying = facts.filter((one) => isTold(one) && of(one) && !isLost(one)).length;
    const limit = shareOf(spec.rollout.maxApplying, total, 'down');
    assert.ok(applying <= limit, `${applying} nodes apply ${name}, ${limit} may`);
    for (const one of mine) {
      const lead = leadOf({ node: one, rollouts: rolloutsOf(one, plan) });
      if (lead?.config.name !== name) continue;
      const wave = rolling?.waveOf.get(one.name) ?? 0;
      assert.ok(wave <= (rolling?.progress.current ?? 0), `${one.name} begins before its wave`);
      assert.ok(!hasFailed(one), `${one.name} is told again what failed on it`);
    }
  }
  for (const { name, wanted } of fleet.nodes) {
    const reason = plan.assignments.get(name)?.verdict.reason ?? '';
    const silent = ['UpToDate', 'Offered'].includes(reason) || wanted.generation === undefined;
    if (!silent) assert.equal(wanted.hold?.reason, reason, `${name} is held without saying why`);
    assert.ok((wanted.generation ?? 0) >= (generations.get(name) ?? 0), `${name} went back`);
  }
  const writes = fleet.writes;
  // The place of a node that is withdrawn is free only once that is written.
  if (facts.some((one) => before.get(one.name) === true && !isTold(one))) return turn(fleet);
  fleet.reconcile();
  assert.equal(fleet.writes, writes, 'planning on the result writes something');
  return plan;
}

function rolloutsOf({ target }: NodeFacts, plan: Plan): Rollout[] {
  const names = target.kind === 'config' ? target.differs : [];
  return names.map((name) => plan.rollouts.get(name)).filter((one) => one !== undefined);
}

function act(fleet: SimulatedNodes, what: Deed, pick: number): void {
  const one = fleet.nodes[pick % fleet.nodes.length] as SimulatedNode;
  const config = fleet.configs[pick % fleet.configs.length] as SimulatedConfig;
  if (what === 'node') fleet.step(one);
  if (what === 'silence') one.heard = !one.heard;
  if (what === 'change') config.version += 1;
  if (what === 'back') config.version = Math.max(1, config.version - 1);
  if (what === 'pause') config.spec = { ...config.spec, paused: !config.spec.paused };
  if (what === 'time') fleet.now += (pick % 20) * 60_000;
  if (what === 'approve') approve(config);
}

function approve(config: SimulatedConfig): void {
  const planHash = config.previous?.planHash;
  if (planHash === undefined) return;
  config.spec = { ...config.spec, rollout: { ...config.spec.rollout, approvedPlan: planHash } };
}

function calm(fleet: SimulatedNodes): void {
  for (const config of fleet.configs) config.spec = { ...config.spec, paused: false };
  for (const one of fleet.nodes) one.heard = true;
}

function settle(fleet: SimulatedNodes): Plan {
  for (let round = 0; round < 400; round += 1) {
    for (const config of fleet.configs) approve(config);
    let plan = turn(fleet);
    const isQuiet = fleet.nodes.filter((one) => fleet.step(one)).length === 0;
    if (!isQuiet) continue;
    const before = fleet.writes;
    for (const config of fleet.configs) approve(config);
    plan = turn(fleet);
    if (fleet.writes === before && plan.nextCheckAt === undefined) return plan;
    fleet.now = plan.nextCheckAt ?? fleet.now;
  }
  assert.fail('it does not come to an end');
}

function checkEnd(fleet: SimulatedNodes, plan: Plan): void {
  for (const one of fleet.facts()) {
    const reason = plan.assignments.get(one.name)?.verdict.reason;
    if (one.target.kind === 'none') assert.equal(one.status?.applied, undefined);
    else if (isInForce(one)) assert.equal(reason, 'UpToDate');
    else assert.ok(isStuck(plan), `${one.name} does not move: ${reason}`);
  }
}

/** What failed somewhere may keep others waiting for good; where nothing failed, nothing waits. */
function isStuck({ rollouts }: Plan): boolean {
  return [...rollouts.values()].some(({ outcomes }) => [...outcomes.values()].includes('failed'));
}
