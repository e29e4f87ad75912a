import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyOf, SimulatedNodes } from '../testing/simulated-nodes.ts';

const MINUTE_MS = 60_000;
/** confirm.timeout as it is by default, and what comes on top. */
const LOST_AFTER_MS = (5 + 15) * MINUTE_MS;

/** Five nodes, of which one at a time may apply; the first is told, begins if it is to, and falls silent. */
function silentFirst(rollout: object, begins: boolean): SimulatedNodes {
  const config = { name: 'c', version: 1, spec: policyOf({ maxApplying: 1, ...rollout }) };
  const names = ['n0', 'n1', 'n2', 'n3', 'n4'];
  const it = new SimulatedNodes(
    [config],
    names.map((name) => ({ name, configs: ['c'], bad: new Set<string>() })),
  );
  it.reconcile();
  const first = it.nodes[0]!;
  assert.equal(first.wanted.apply, true);
  if (begins) it.step(first);
  first.heard = false;
  it.reconcile();
  return it;
}

function told(it: SimulatedNodes): string[] {
  return it.nodes.filter(({ wanted }) => wanted.apply === true).map(({ name }) => name);
}

for (const begins of [false, true]) {
  const what = begins ? 'began' : 'was told';

  test(`a node that ${what} and is silent keeps its place, and is named, until it counts as lost`, () => {
    const it = silentFirst({ haltOn: { failures: 3 } }, begins);
    it.now += LOST_AFTER_MS - 1;
    const before = it.reconcile();
    assert.equal(before.assignments.get('n0')?.verdict.reason, 'AgentSilent');
    assert.deepEqual(told(it), ['n0']);
    assert.equal(before.nextCheckAt, it.now + 1, 'it is known when to look again');
    it.now += 1;
    const after = it.reconcile();
    assert.equal(after.assignments.get('n0')?.verdict.reason, 'AgentSilent');
    assert.deepEqual(told(it), ['n0', 'n1'], 'the next one has the place');
    assert.equal(after.rollouts.get('c')?.outcomes.get('n0'), 'failed');
  });

  test(`a node that ${what} and is lost halts the rollout, which goes on when it is heard of`, () => {
    const it = silentFirst({}, begins);
    it.now += LOST_AFTER_MS;
    const { halted } = it.reconcile().rollouts.get('c')?.status ?? {};
    assert.deepEqual([halted?.nodes, halted?.silent], [['n0'], true]);
    assert.match(halted?.reason ?? '', /AgentSilent/);
    for (const minutes of [1, 60]) {
      it.now += minutes * MINUTE_MS;
      assert.ok(it.reconcile().rollouts.get('c')?.status?.halted, 'it stays halted');
      assert.deepEqual(told(it), begins ? ['n0'] : []);
    }
    it.nodes[0]!.heard = true;
    assert.equal(it.reconcile().rollouts.get('c')?.status?.halted, undefined);
    while (it.nodes.some((node) => it.step(node))) it.reconcile();
    assert.deepEqual(told(it).length, 5);
  });
}

test('one that is heard of again and failed keeps the rollout halted, whoever else is heard of', () => {
  const it = silentFirst({}, true);
  const first = it.nodes[0]!;
  first.bad = new Set(['c@1']);
  it.now += LOST_AFTER_MS;
  it.reconcile();
  first.heard = true;
  it.step(first);
  const { halted } = it.reconcile().rollouts.get('c')?.status ?? {};
  assert.deepEqual([halted?.nodes, halted?.silent], [['n0'], undefined]);
  assert.deepEqual(told(it), []);
});

test('a node that is gone is waited for no more', () => {
  const it = silentFirst({}, true);
  it.now += LOST_AFTER_MS;
  it.reconcile();
  it.nodes.shift();
  assert.equal(it.reconcile().rollouts.get('c')?.status?.halted, undefined);
  assert.deepEqual(told(it), ['n1']);
});

test('a node that was silent before it was told anything holds nobody up', () => {
  const config = { name: 'c', version: 1, spec: policyOf({ maxApplying: 1 }) };
  const nodes = ['n0', 'n1'].map((name) => ({ name, configs: ['c'], bad: new Set<string>() }));
  const it = new SimulatedNodes([config], nodes);
  it.nodes[0]!.heard = false;
  it.reconcile();
  assert.deepEqual(told(it), ['n1']);
  it.now += LOST_AFTER_MS;
  const { rollouts } = it.reconcile();
  assert.equal(rollouts.get('c')?.outcomes.get('n0'), 'pending');
});
